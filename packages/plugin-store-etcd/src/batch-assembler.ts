import { type StoreBatch, type StoreEntry, StoreError, type StoreEvent } from '@continuo/core'
import type { WatchEvent, WatchResponse } from './etcd-protocol.ts'
import type { KeySpace } from './key-space.ts'

/**
 * Makes whole revisions of the responses to one watch. etcd never splits a revision between two responses, but a large response comes in
 * fragments, and a fragment may end anywhere. Revisions that were seen, which etcd before 3.4.25 may repeat, are passed over.
 */
export class BatchAssembler {
  readonly #keys: KeySpace
  #position: number
  /** Events of a revision that the next fragment may go on with. */
  #open: { readonly revision: number; readonly events: StoreEvent[] } | undefined

  /** @param after The revision behind which the first batch lies. */
  constructor(keys: KeySpace, after: number) {
    this.#keys = keys
    this.#position = after
  }

  /** The revisions that are complete with this response. Throws `STORE_COMPACTED` when a previous value is already gone. */
  take({ events, fragment, header }: Pick<WatchResponse, 'events' | 'fragment' | 'header'>): readonly StoreBatch[] {
    const batches: StoreBatch[] = []
    for (const event of events) {
      const revision = event.kv.modRevision
      if (revision <= this.#position) continue
      if (this.#open !== undefined && this.#open.revision !== revision) this.#close(batches)
      this.#open ??= { revision, events: [] }
      this.#open.events.push(this.#event(event))
    }
    if (fragment) return batches
    this.#close(batches)
    if (events.length === 0 && header.revision > this.#position) {
      this.#position = header.revision
      batches.push({ revision: header.revision, events: [] })
    }
    return batches
  }

  #close(batches: StoreBatch[]): void {
    if (this.#open === undefined) return
    this.#position = this.#open.revision
    batches.push(this.#open)
    this.#open = undefined
  }

  #event({ type, kv, prevKv }: WatchEvent): StoreEvent {
    const key = this.#keys.keyOf(kv.key)
    if (type === 'PUT' && kv.version === 1) return { type: 'put', key, value: kv.value, createRevision: kv.createRevision }
    if (prevKv === null) {
      throw new StoreError('STORE_COMPACTED', `what ${JSON.stringify(key)} was before revision ${kv.modRevision} is compacted`)
    }
    const previous: StoreEntry = this.#keys.entry(prevKv)
    return type === 'PUT'
      ? { type: 'put', key, value: kv.value, createRevision: kv.createRevision, previous }
      : { type: 'delete', key, value: noValue, createRevision: previous.createRevision, previous }
  }
}

const noValue = new Uint8Array(0)
