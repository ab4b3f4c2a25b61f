export interface QueueShape {
  readonly queues: number
  /** Waiting requests of one queue; one more is refused. */
  readonly lengthLimit: number
}

/** A request that waits, or waited. */
export interface Waiter<T> {
  readonly item: T
  readonly width: number
  /** Milliseconds on the caller's clock. */
  readonly since: number
  readonly queue: number
  /** Seat-milliseconds that its queue was charged when it was dispatched. */
  charged: number
}

interface Queue<T> {
  readonly waiting: Waiter<T>[]
  /** Requests of it that run. */
  running: number
  /** Seat-milliseconds of service that it has had: the one that had least is served next. */
  served: number
}

/** Even a request that took no measurable time counts: without it one queue could be served for ever. */
const leastCharge = 0.05

/**
 * Queues that share seats fairly, in virtual time: each queue carries the service that it has had, in seat-milliseconds, and the one that
 * had least goes next. A queue that comes back from being empty begins where the least served of the busy ones stands, so it
 * neither profits from its absence nor pays for it. What a request will cost is guessed when it goes, and corrected when it is over.
 * No clock, no timers: times are given. Every queue is bounded.
 */
export class FairQueues<T> {
  readonly #shape: QueueShape
  readonly #queues: Queue<T>[]
  /** Indexes of queues with requests that wait or run. */
  readonly #busy = new Set<number>()
  #waiting = 0
  #seatsWaiting = 0
  #lastServed = -1

  constructor(shape: QueueShape) {
    this.#shape = shape
    this.#queues = Array.from({ length: shape.queues }, () => ({ waiting: [], running: 0, served: 0 }))
  }

  get waiting(): number {
    return this.#waiting
  }

  get seatsWaiting(): number {
    return this.#seatsWaiting
  }

  /** Puts a request into the shortest queue of its flow's hand; undefined when that is full. */
  enqueue(hand: readonly number[], item: T, width: number, now: number): Waiter<T> | undefined {
    let index = hand[0] as number
    for (const other of hand) if (this.#load(other) < this.#load(index)) index = other
    const queue = this.#queues[index] as Queue<T>
    if (queue.waiting.length >= this.#shape.lengthLimit) return undefined
    if (!this.#busy.has(index)) {
      queue.served = Math.max(queue.served, this.#leastServed())
      this.#busy.add(index)
    }
    const waiter = { item, width, since: now, queue: index, charged: 0 }
    queue.waiting.push(waiter)
    this.#waiting++
    this.#seatsWaiting += width
    return waiter
  }

  /**
   * Takes the request whose turn it is, if `fits` says so of its width; `guess` is what one seat will probably take, in milliseconds.
   * One that does not fit is waited for: others passing it would let wide requests starve.
   */
  dispatch(fits: (width: number) => boolean, guess: number): Waiter<T> | undefined {
    const index = this.#next()
    if (index === undefined) return undefined
    const queue = this.#queues[index] as Queue<T>
    const waiter = queue.waiting[0] as Waiter<T>
    if (!fits(waiter.width)) return undefined
    queue.waiting.shift()
    this.#forget(waiter)
    queue.running++
    waiter.charged = waiter.width * Math.max(guess, leastCharge)
    queue.served += waiter.charged
    this.#lastServed = index
    return waiter
  }

  /** A dispatched request is over after so many milliseconds. */
  finish(waiter: Waiter<T>, tookMs: number): void {
    const queue = this.#queues[waiter.queue] as Queue<T>
    queue.running--
    queue.served += waiter.width * Math.max(tookMs, leastCharge) - waiter.charged
    this.#restIfIdle(waiter.queue)
  }

  /** Takes a request out that waits no longer; false when it does not wait. */
  cancel(waiter: Waiter<T>): boolean {
    const queue = this.#queues[waiter.queue] as Queue<T>
    const at = queue.waiting.indexOf(waiter)
    if (at < 0) return false
    queue.waiting.splice(at, 1)
    this.#forget(waiter)
    this.#restIfIdle(waiter.queue)
    return true
  }

  /** Takes out and returns what has waited since before `since`. */
  expire(since: number): readonly Waiter<T>[] {
    const expired: Waiter<T>[] = []
    for (const index of [...this.#busy]) {
      const { waiting } = this.#queues[index] as Queue<T>
      while (waiting[0] !== undefined && waiting[0].since < since) {
        const waiter = waiting.shift() as Waiter<T>
        this.#forget(waiter)
        expired.push(waiter)
      }
      this.#restIfIdle(index)
    }
    return expired
  }

  /** Everything that waits, taken out: when the shape of the queues changes. */
  drain(): readonly Waiter<T>[] {
    return this.expire(Number.POSITIVE_INFINITY)
  }

  #load(index: number): number {
    const { waiting, running } = this.#queues[index] as Queue<T>
    return waiting.length + running
  }

  #leastServed(): number {
    let least = Number.POSITIVE_INFINITY
    for (const index of this.#busy) least = Math.min(least, (this.#queues[index] as Queue<T>).served)
    return least === Number.POSITIVE_INFINITY ? 0 : least
  }

  /** The least served queue with requests that wait; of equals, the next one after the last that was served. */
  #next(): number | undefined {
    let best: number | undefined
    let bestDistance = 0
    const count = this.#queues.length
    for (const index of this.#busy) {
      const { waiting, served } = this.#queues[index] as Queue<T>
      if (waiting.length === 0) continue
      const distance = (index - this.#lastServed - 1 + 2 * count) % count
      const than = best === undefined ? Number.POSITIVE_INFINITY : (this.#queues[best] as Queue<T>).served
      if (served > than || (served === than && distance > bestDistance)) continue
      best = index
      bestDistance = distance
    }
    return best
  }

  #forget(waiter: Waiter<T>): void {
    this.#waiting--
    this.#seatsWaiting -= waiter.width
  }

  #restIfIdle(index: number): void {
    const { waiting, running } = this.#queues[index] as Queue<T>
    if (waiting.length > 0 || running > 0) return
    this.#busy.delete(index)
    // When nothing is left to compare with, the count begins anew, long before it could lose precision.
    if (this.#busy.size === 0) for (const queue of this.#queues) queue.served = 0
  }
}
