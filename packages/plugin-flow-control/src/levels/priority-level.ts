import type { DeepReadonly } from '@continuo/core'
import type { PriorityLevelConfiguration } from '@continuo/workload'
import { FairQueues, type Waiter } from '../queues/fair-queues.ts'
import { dealHand } from '../queues/shuffle-shard.ts'
import type { ShareTerms } from './share-seats.ts'

type Configuration = DeepReadonly<PriorityLevelConfiguration>

const smallestGuessMs = 1
/** How much the newest request counts in the guess of how long one takes. */
const guessWeight = 0.1
const maxHands = 4_096

/** The terms on which a level shares seats. Pure. */
export function termsOf({ spec }: Configuration): ShareTerms {
  const { nominalConcurrencyShares: shares = 0, lendablePercent = 0 } = spec?.limited ?? spec?.exempt ?? {}
  const borrowingLimitPercent = spec?.limited?.borrowingLimitPercent
  return { shares, lendablePercent, ...(borrowingLimitPercent === undefined ? {} : { borrowingLimitPercent }) }
}

/**
 * The seats of one level of priority and the queues before them. Times are given; what waits is opaque.
 * A seat that was left is free from the next turn on: so the seats also bound what one turn of the event loop has to do.
 */
export class PriorityLevel<T> {
  readonly name: string
  #configuration: Configuration
  #queues: FairQueues<T> | undefined
  /** Hands of the flows that waited lately. */
  readonly #hands = new Map<bigint, readonly number[]>()
  #inUse = 0
  #left = 0
  #begun = 0
  #running = 0
  #peak = 0
  #guess = smallestGuessMs
  /** Seats that it may use now. */
  limit = 1
  /** Its object is gone: it takes nothing new. */
  retired = false

  constructor(configuration: Configuration) {
    this.name = configuration.metadata.name ?? ''
    this.#configuration = configuration
    this.#queues = queuesOf<T>(configuration)
  }

  get uid(): string {
    return this.#configuration.metadata.uid ?? ''
  }

  get isExempt(): boolean {
    return this.#configuration.spec?.type === 'Exempt'
  }

  get terms(): ShareTerms {
    return termsOf(this.#configuration)
  }

  /** Seats of requests that run, or were left in this turn. */
  get seatsInUse(): number {
    return this.#inUse
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#queues?.waiting ?? 0
  }

  /** False: what finds no seat is refused. */
  get hasQueues(): boolean {
    return this.#queues !== undefined
  }

  get isIdle(): boolean {
    return this.#inUse === 0 && this.waiting === 0
  }

  /** So many of its seats were taken in this turn that they are what bounds a turn. */
  get filledTurn(): boolean {
    return !this.isExempt && this.#begun * 2 >= this.limit
  }

  /** Takes over a changed configuration. Returns waiting requests for which the new queues have no place; `hashOf` tells the flow of the others. */
  reconfigure(configuration: Configuration, hashOf: (item: T) => bigint): readonly T[] {
    const before = shapeKey(this.#configuration)
    this.#configuration = configuration
    if (shapeKey(configuration) === before) return []
    const old = this.#queues
    this.#queues = queuesOf<T>(configuration)
    this.#hands.clear()
    return (old?.drain() ?? [])
      .filter(({ item, width, since }) => this.wait(hashOf(item), item, width, since) === undefined)
      .map(({ item }) => item)
  }

  /** Takes seats if there are and nobody waits for them. A request wider than the whole level runs alone. */
  take(width: number): boolean {
    if (this.waiting > 0 || !this.#fits(width)) return false
    this.#seat(width)
    return true
  }

  /** Queues a request; undefined when its flow's queues are full, or the level has none. */
  wait(hash: bigint, item: T, width: number, now: number): Waiting<T> | undefined {
    const queues = this.#queues
    if (queues === undefined) return undefined
    const waiter = queues.enqueue(this.#handOf(hash), item, width, now)
    if (waiter === undefined) return undefined
    this.#peak = Math.max(this.#peak, this.#inUse + queues.seatsWaiting)
    return { waiter, queues }
  }

  /** What may run now, each with its seats taken. */
  dispatch(): readonly Waiting<T>[] {
    const queues = this.#queues
    if (queues === undefined || queues.waiting === 0) return []
    const dispatched: Waiting<T>[] = []
    for (;;) {
      const waiter = queues.dispatch((width) => this.#fits(width), this.#guess)
      if (waiter === undefined) return dispatched
      this.#seat(waiter.width)
      dispatched.push({ waiter, queues })
    }
  }

  /** A request is over; of one that had waited, its queue learns how long it took. */
  leave(width: number, waited: Waiting<T> | undefined, tookMs: number): void {
    this.#left += width
    this.#running--
    if (waited === undefined) return
    waited.queues.finish(waited.waiter, tookMs)
    this.#guess += (Math.max(tookMs, smallestGuessMs) - this.#guess) * guessWeight
  }

  /** The turn is over: seats that were left in it are free. */
  endTurn(): void {
    this.#inUse -= this.#left
    this.#left = 0
    this.#begun = 0
  }

  /** Takes out what has waited since before `since`. */
  expire(since: number): readonly T[] {
    return this.#queues?.expire(since).map(({ item }) => item) ?? []
  }

  /** Most seats that were in use or waited for since the last call. */
  takePeak(): number {
    const peak = this.#peak
    this.#peak = this.#inUse + (this.#queues?.seatsWaiting ?? 0)
    return peak
  }

  #fits(width: number): boolean {
    return this.#inUse === 0 || this.#inUse + width <= this.limit
  }

  #seat(width: number): void {
    this.#inUse += width
    this.#begun += width
    this.#running++
    if (this.#inUse > this.#peak) this.#peak = this.#inUse
  }

  #handOf(hash: bigint): readonly number[] {
    let hand = this.#hands.get(hash)
    if (hand === undefined) {
      const { queues = 1, handSize = 1 } = this.#configuration.spec?.limited?.limitResponse?.queuing ?? {}
      hand = dealHand(hash, queues, handSize)
      if (this.#hands.size >= maxHands) this.#hands.clear()
      this.#hands.set(hash, hand)
    }
    return hand
  }
}

/** A queued request with the queues in which it stands, which may be older than the level's present ones. */
export interface Waiting<T> {
  readonly waiter: Waiter<T>
  readonly queues: FairQueues<T>
}

function queuesOf<T>({ spec }: Configuration): FairQueues<T> | undefined {
  const queuing = spec?.limited?.limitResponse?.queuing
  if (spec?.limited?.limitResponse?.type !== 'Queue' || queuing === undefined) return undefined
  return new FairQueues<T>({ queues: queuing.queues ?? 64, lengthLimit: queuing.queueLengthLimit ?? 50 })
}

const shapeKey = ({ spec }: Configuration): string => JSON.stringify(spec?.limited?.limitResponse ?? null)
