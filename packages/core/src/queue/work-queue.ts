import type { Cancel, Clock } from '../clock/clock.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { DelayHeap } from './delay-heap.ts'
import { RateLimit, type RateLimitOptions } from './rate-limit.ts'

export interface WorkQueueOptions extends RateLimitOptions {
  /** Label of its metrics. */
  readonly name: string
  readonly clock: Clock
  readonly metrics: Metrics
  /** Keys that wait, delayed ones included. Default 1,000,000. At the bound `add` refuses and {@link WorkQueue.overflowed} is set. */
  readonly maxKeys?: number
}

const secondsBuckets = [0.001, 0.01, 0.1, 1, 10, 60]

/**
 * Keys to be worked on. A key that is added while it waits is there once; one that is added while it is worked on comes again afterwards,
 * so that no key is ever worked on twice at the same time and no change is missed.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #limit: RateLimit
  readonly #ready = new Map<string, number>()
  readonly #delayed = new DelayHeap()
  readonly #working = new Map<string, number>()
  readonly #again = new Set<string>()
  readonly #takers: ((key: string | undefined) => void)[] = []
  #timer: { readonly at: number; readonly cancel: Cancel } | undefined
  #closed = false
  #overflowed = false
  readonly #metrics: ReturnType<typeof metricsOf>

  constructor(options: WorkQueueOptions) {
    this.#options = options
    this.#limit = new RateLimit(options.clock, options)
    this.#metrics = metricsOf(options.metrics, options.name)
  }

  /** Keys that can be taken now. */
  get length(): number {
    return this.#ready.size
  }

  get delayed(): number {
    return this.#delayed.size
  }

  get working(): number {
    return this.#working.size
  }

  /** True once a key was refused, until it is read: the owner must find the lost keys by listing. */
  takeOverflow(): boolean {
    const overflowed = this.#overflowed
    this.#overflowed = false
    return overflowed
  }

  /** False when the queue is full or closed. */
  add(key: string): boolean {
    if (this.#closed) return false
    if (this.#working.has(key)) {
      this.#again.add(key)
      return true
    }
    if (this.#ready.has(key)) return true
    if (this.#full()) return false
    this.#metrics.adds()
    const taker = this.#takers.shift()
    if (taker !== undefined) {
      this.#begin(key, 0)
      taker(key)
      return true
    }
    this.#ready.set(key, this.#options.clock.monotonic())
    this.#metrics.depth(this.#ready.size)
    return true
  }

  /** Adds the key in `ms` milliseconds; of several times the earliest counts. */
  addAfter(key: string, ms: number): boolean {
    if (ms <= 0) return this.add(key)
    if (this.#closed || this.#full()) return false
    this.#delayed.add(key, this.#options.clock.monotonic() + ms)
    this.#arm()
    return true
  }

  /** Adds the key after its back-off. */
  retry(key: string): boolean {
    this.#metrics.retries()
    return this.addAfter(key, this.#limit.next(key))
  }

  failures(key: string): number {
    return this.#limit.failures(key)
  }

  /** Ends the back-off of a key: it succeeded, or will not be retried. */
  forget(key: string): void {
    this.#limit.forget(key)
  }

  /** The next key, or undefined once the queue is closed. Each key that is taken must be given to {@link WorkQueue.done}. */
  take(): Promise<string | undefined> {
    for (const [key, since] of this.#ready) {
      this.#ready.delete(key)
      this.#metrics.depth(this.#ready.size)
      this.#begin(key, this.#options.clock.monotonic() - since)
      return Promise.resolve(key)
    }
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#takers.push(resolve))
  }

  done(key: string): void {
    const begun = this.#working.get(key)
    if (begun === undefined) return
    this.#working.delete(key)
    this.#metrics.worked((this.#options.clock.monotonic() - begun) / 1_000)
    if (this.#again.delete(key)) this.add(key)
  }

  /** Forgets what waits and ends all `take`s. */
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#timer = undefined
    this.#ready.clear()
    this.#delayed.clear()
    this.#again.clear()
    this.#metrics.depth(0)
    for (const taker of this.#takers.splice(0)) taker(undefined)
  }

  #begin(key: string, waitedMs: number): void {
    this.#working.set(key, this.#options.clock.monotonic())
    this.#metrics.waited(waitedMs / 1_000)
  }

  #full(): boolean {
    const full = this.#ready.size + this.#delayed.size >= (this.#options.maxKeys ?? 1_000_000)
    if (full) this.#overflowed = true
    return full
  }

  /** One timer for all delayed keys, set to the earliest. */
  #arm(): void {
    const next = this.#delayed.next
    if (next === undefined || (this.#timer !== undefined && this.#timer.at <= next)) return
    this.#timer?.cancel()
    const { clock } = this.#options
    const cancel = clock.after(Math.max(0, next - clock.monotonic()), () => {
      this.#timer = undefined
      for (const key of this.#delayed.due(clock.monotonic())) this.add(key)
      this.#arm()
    })
    this.#timer = { at: next, cancel }
  }
}

function metricsOf(metrics: Metrics, name: string) {
  const labels = { name }
  const depth = metrics.gauge('workqueue_depth', 'Keys that can be taken now.', ['name'])
  const adds = metrics.counter('workqueue_adds_total', 'Keys that were added.', ['name'])
  const retries = metrics.counter('workqueue_retries_total', 'Keys that were added again after a failure.', ['name'])
  const waited = metrics.histogram('workqueue_queue_duration_seconds', 'Time from being added to being taken.', {
    labels: ['name'],
    buckets: secondsBuckets,
  })
  const worked = metrics.histogram('workqueue_work_duration_seconds', 'Time from being taken to being done.', {
    labels: ['name'],
    buckets: secondsBuckets,
  })
  return {
    depth: (value: number) => depth.set(value, labels),
    adds: () => adds.inc(labels),
    retries: () => retries.inc(labels),
    waited: (seconds: number) => waited.observe(seconds, labels),
    worked: (seconds: number) => worked.observe(seconds, labels),
  }
}
