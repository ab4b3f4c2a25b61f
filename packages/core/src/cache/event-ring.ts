import type { CacheEvent } from './watch-cache.ts'

export interface EventRingOptions {
  readonly maxEvents: number
  /** Bytes of replaced and deleted values, which nothing but the ring keeps. */
  readonly maxBytes: number
}

const firstCapacity = 1_024

/**
 * The latest events of the whole key space, each under its sequence number. The one place that holds events:
 * everything else refers to them by number, so that what falls off here is gone everywhere.
 */
export class EventRing {
  readonly #options: EventRingOptions
  #slots: (CacheEvent | undefined)[] = new Array(firstCapacity)
  #bytes = 0
  #start = 0
  #end = 0
  #oldestRevision = 0

  constructor(options: EventRingOptions) {
    this.#options = options
  }

  /** Number of the oldest event that is held. */
  get start(): number {
    return this.#start
  }

  /** Number of the next event. */
  get end(): number {
    return this.#end
  }

  /** Every event above this revision is held. */
  get oldestRevision(): number {
    return this.#oldestRevision
  }

  /** The event with a number between `start` and `end`. */
  at(sequence: number): CacheEvent {
    return this.#slots[sequence % this.#slots.length] as CacheEvent
  }

  push(event: CacheEvent): number {
    if (this.#end - this.#start === this.#slots.length) this.#grow()
    const sequence = this.#end++
    this.#slots[sequence % this.#slots.length] = event
    this.#bytes += event.previous?.value.byteLength ?? 0
    return sequence
  }

  /** Drops what exceeds the bounds; called once a revision is complete. */
  trim(): void {
    while (this.#end - this.#start > this.#options.maxEvents || (this.#bytes > this.#options.maxBytes && this.#end > this.#start)) {
      const event = this.at(this.#start)
      this.#slots[this.#start++ % this.#slots.length] = undefined
      this.#bytes -= event.previous?.value.byteLength ?? 0
      this.#oldestRevision = event.revision
    }
  }

  /** Forgets everything: the events up to the revision are unknown. */
  reset(revision: number): void {
    this.#slots = new Array(firstCapacity)
    this.#start = this.#end
    this.#bytes = 0
    this.#oldestRevision = revision
  }

  /** Number of the first event above the revision. */
  after(revision: number): number {
    let low = this.#start
    let high = this.#end
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.at(middle).revision <= revision) low = middle + 1
      else high = middle
    }
    return low
  }

  #grow(): void {
    const slots = new Array<CacheEvent | undefined>(this.#slots.length * 2)
    for (let sequence = this.#start; sequence < this.#end; sequence++) slots[sequence % slots.length] = this.at(sequence)
    this.#slots = slots
  }
}
