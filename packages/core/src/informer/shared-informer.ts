import type { ResourceClient, WatchEvent } from '../client/object-client.ts'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import { type DeepReadonly, formatKey, type KubeObject, keyOf } from '../objects/object.ts'
import type { Random } from '../random/random.ts'
import { deepFreeze } from './deep-freeze.ts'
import type { InformerOptions } from './informer.ts'
import { type Change, ObjectTable } from './object-table.ts'
import { Reflector, type ReflectorTarget } from './reflector.ts'

export interface SharedInformerOptions<T extends KubeObject> {
  /** For logs: `widgets.v1.demo.io`. */
  readonly name: string
  readonly client: () => Promise<ResourceClient<T>>
  readonly select: Pick<InformerOptions<T>, 'namespace' | 'labelSelector' | 'fieldSelector'>
  readonly project?: (object: T) => T
  readonly freeze: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly streamingList?: boolean
  readonly retryAbsent?: (signal: AbortSignal) => Promise<void>
}

interface Waiter {
  readonly version: number
  readonly resolve: () => void
}

/** One watch and one table, shared by every informer of a host with the same kind and options. */
export class SharedInformer<T extends KubeObject> implements ReflectorTarget<T> {
  readonly #options: SharedInformerOptions<T>
  readonly #abort = new AbortController()
  readonly #listeners = new Set<(change: Change<T>) => void>()
  readonly #waiters = new Set<Waiter>()
  readonly table = new ObjectTable<T>()
  #version = -1
  #synced = false
  #running: Promise<void> | undefined

  constructor(options: SharedInformerOptions<T>) {
    this.#options = options
  }

  get synced(): boolean {
    return this.#synced
  }

  start(): void {
    if (this.#running !== undefined) return
    const { client, select, clock, random, log, name, streamingList, retryAbsent } = this.#options
    const reflector = new Reflector<T>({
      client,
      select,
      clock,
      random,
      streamingList,
      retryAbsent,
      log: log.child({ informer: name }),
      target: this,
    })
    this.#running = reflector.run(this.#abort.signal)
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    this.#listeners.clear()
    await this.#running
  }

  onChange(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Resolves when the table holds the version; rejects with the signal's reason. Version 0 is the first complete list. */
  reached(resourceVersion: string, signal?: AbortSignal): Promise<void> {
    const version = Number(resourceVersion)
    if (this.#synced && this.#version >= version) return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const aborted = (): void => {
        this.#waiters.delete(waiter)
        reject(signal?.reason)
      }
      const waiter: Waiter = {
        version,
        resolve: () => {
          signal?.removeEventListener('abort', aborted)
          resolve()
        },
      }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', aborted, { once: true })
    })
  }

  replace(objects: readonly T[], resourceVersion: string): void {
    this.#publish(this.table.replace(objects.map((object) => this.#prepare(object))))
    this.#synced = true
    this.#advance(resourceVersion, true)
  }

  event(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') {
      this.#advance(event.resourceVersion)
      return
    }
    const object = this.#prepare(event.object)
    this.#publish(event.type === 'DELETED' ? this.table.remove(formatKey(keyOf(object)), object) : this.table.put(object))
    this.#advance(object.metadata.resourceVersion)
  }

  absent(): void {
    this.#publish(this.table.replace([]))
    this.#synced = true
    this.#advance('0')
  }

  #prepare(object: T): DeepReadonly<T> {
    const { project, freeze } = this.#options
    const kept = (project === undefined ? object : project(object)) as DeepReadonly<T>
    return freeze ? deepFreeze(kept) : kept
  }

  #publish(changes: readonly Change<T>[]): void {
    for (const change of changes) for (const listener of this.#listeners) listener(change)
  }

  /** @param anew A list may say a lower version: the store was restored or replaced. */
  #advance(resourceVersion: string | undefined, anew = false): void {
    const version = Number(resourceVersion)
    if (!Number.isFinite(version)) return
    if (version > this.#version || anew) this.#version = version
    for (const waiter of this.#waiters) {
      if (waiter.version > this.#version) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }
}
