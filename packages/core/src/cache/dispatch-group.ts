import { DispatchRing } from './dispatch-ring.ts'
import type { EventRing } from './event-ring.ts'
import { familyOf, Postings } from './postings.ts'
import type { CacheEntry, CacheEvent, DispatchIndex } from './watch-cache.ts'

const none: readonly string[] = []

/** What is watched and indexed below one prefix. */
export class DispatchGroup {
  readonly prefix: string
  /** The group of the longest prefix of this prefix; kept up by {@link PrefixTree}. */
  parent: DispatchGroup | undefined
  readonly #events: EventRing
  readonly #rings = new Map<string, DispatchRing>()
  readonly #postings = new Postings()
  #indexes: readonly DispatchIndex[] = []

  constructor(prefix: string, events: EventRing) {
    this.prefix = prefix
    this.#events = events
  }

  /** Nobody watches it and nothing is declared for it. */
  get idle(): boolean {
    return this.#rings.size === 0 && this.#indexes.length === 0
  }

  get rings(): Iterable<DispatchRing> {
    return this.#rings.values()
  }

  addIndex(index: DispatchIndex): Disposable {
    this.#indexes = [...this.#indexes, index]
    this.#postings.clear()
    return {
      [Symbol.dispose]: () => {
        this.#indexes = this.#indexes.filter((other) => other !== index)
        this.#postings.clear()
      },
    }
  }

  /** Entries that bear the key; the first question about a family of keys walks all of `entries`. */
  byKey(dispatchKey: string, entries: () => Iterable<CacheEntry>): readonly CacheEntry[] {
    const family = familyOf(dispatchKey)
    if (!this.#postings.has(family)) this.#postings.build(family, entries(), this.#keysOf)
    return this.#postings.list(dispatchKey)
  }

  /** Everything is loaded anew. */
  reset(): void {
    this.#postings.clear()
  }

  /** The ring of a dispatch key, complete from the event with number `from` on. */
  acquire(dispatchKey: string, from: number): DispatchRing {
    let ring = this.#rings.get(dispatchKey)
    if (ring === undefined) {
      ring = new DispatchRing(this.#events)
      this.#rings.set(dispatchKey, ring)
    }
    ring.readers++
    ring.extend(from, (first, end) => this.#find(dispatchKey, first, end))
    return ring
  }

  release(dispatchKey: string, ring: DispatchRing): void {
    ring.readers--
    if (ring.readers === 0 && this.#rings.get(dispatchKey) === ring) this.#rings.delete(dispatchKey)
  }

  /** Puts an event into the rings of its keys; those that somebody waits at are added to `touched`. */
  dispatch(event: CacheEvent, sequence: number, touched: DispatchRing[]): void {
    const all = this.#rings.get('')
    if (all !== undefined) push(all, sequence, touched)
    const ringed = this.#rings.size > (all === undefined ? 0 : 1)
    if (this.#indexes.length === 0 || (!ringed && this.#postings.empty)) return
    const { entry, previous } = event
    const after = entry === undefined ? none : this.#keysOf(entry)
    const before = previous === undefined ? none : this.#keysOf(previous)
    if (!this.#postings.empty) {
      for (const key of before) if (!after.includes(key)) this.#postings.remove(key, previous as CacheEntry)
      for (const key of after) this.#postings.add(key, entry as CacheEntry)
    }
    if (ringed) {
      for (const key of after) push(this.#rings.get(key), sequence, touched)
      for (const key of before) push(this.#rings.get(key), sequence, touched)
    }
  }

  readonly #keysOf = (entry: CacheEntry): readonly string[] => {
    const [first, ...others] = this.#indexes
    if (first === undefined) return none
    return others.length === 0 ? first.keysOf(entry) : [...new Set(this.#indexes.flatMap((index) => index.keysOf(entry)))]
  }

  #find(dispatchKey: string, from: number, to: number): number[] {
    const found: number[] = []
    for (let sequence = from; sequence < to; sequence++) {
      const event = this.#events.at(sequence)
      if (event.key.startsWith(this.prefix) && (dispatchKey === '' || this.#bears(event, dispatchKey))) found.push(sequence)
    }
    return found
  }

  #bears({ entry, previous }: CacheEvent, dispatchKey: string): boolean {
    return (
      (entry !== undefined && this.#keysOf(entry).includes(dispatchKey)) ||
      (previous !== undefined && this.#keysOf(previous).includes(dispatchKey))
    )
  }
}

function push(ring: DispatchRing | undefined, sequence: number, touched: DispatchRing[]): void {
  if (ring?.push(sequence) && ring.waiting > 0) touched.push(ring)
}
