import type { EventRing } from './event-ring.ts'

/** Who waits at a ring. */
export interface RingWaiter {
  /** There is something to look at. Called once for each `wait`. */
  wake(): void
}

/**
 * The events of one dispatch key: their numbers in the shared ring and nothing more.
 * Positions are absolute and stay valid while numbers are added in front or dropped.
 */
export class DispatchRing {
  /** Cursors that read it. */
  readers = 0
  readonly #events: EventRing
  readonly #waiting = new Set<RingWaiter>()
  #sequences: number[] = []
  /** Position of the first number. */
  #base = 0
  /** Number of the shared ring's event from which on this ring is complete. */
  #covered: number

  constructor(events: EventRing) {
    this.#events = events
    this.#covered = events.end
  }

  /** Position behind the last event. */
  get end(): number {
    return this.#base + this.#sequences.length
  }

  get waiting(): number {
    return this.#waiting.size
  }

  push(sequence: number): boolean {
    if (this.#sequences.at(-1) === sequence) return false
    this.#sequences.push(sequence)
    if (this.#sequences.length % 64 === 0 && (this.#sequences[this.#sequences.length >>> 1] as number) < this.#events.start) this.#cut()
    return true
  }

  /** Makes the ring complete from an earlier number on: `find` lists the matching numbers between it and the given end. */
  extend(from: number, find: (from: number, to: number) => number[]): void {
    if (from >= this.#covered) return
    const earlier = find(from, this.#covered)
    this.#sequences = [...earlier, ...this.#sequences]
    this.#base -= earlier.length
    this.#covered = from
  }

  /** Number of the event at a position, or -1 when it was dropped. */
  at(position: number): number {
    const sequence = this.#sequences[position - this.#base]
    return sequence === undefined || sequence < this.#events.start ? -1 : sequence
  }

  /** Position of the first event with at least this number. */
  positionOf(sequence: number): number {
    let low = 0
    let high = this.#sequences.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sequences[middle] as number) < sequence) low = middle + 1
      else high = middle
    }
    return this.#base + low
  }

  /** The numbers from one to another, the latter excluded. */
  between(from: number, to: number): number[] {
    return this.#sequences.slice(this.positionOf(from) - this.#base, this.positionOf(to) - this.#base)
  }

  wait(waiter: RingWaiter): void {
    this.#waiting.add(waiter)
  }

  unwait(waiter: RingWaiter): void {
    this.#waiting.delete(waiter)
  }

  wakeAll(): void {
    if (this.#waiting.size === 0) return
    const woken = [...this.#waiting]
    this.#waiting.clear()
    for (const waiter of woken) waiter.wake()
  }

  #cut(): void {
    const keep = this.positionOf(this.#events.start) - this.#base
    this.#sequences = this.#sequences.slice(keep)
    this.#base += keep
  }
}
