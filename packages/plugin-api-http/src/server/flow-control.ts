import { ApiError } from '@continuo/core'

export interface FlowLimits {
  /** Requests that only read, at one time. */
  readonly reads: number
  readonly writes: number
  /** Watches and streams, which last long. */
  readonly longRunning: number
}

export type FlowClass = 'read' | 'write' | 'long-running' | 'exempt'

const keys = { read: 'reads', write: 'writes', 'long-running': 'longRunning' } as const

/**
 * Bounds the work at hand. Beyond a limit requests are refused at once with 429 and `Retry-After: 1`, which clients honour: a queue here
 * would only make them wait with memory held. Leases and health checks are exempt, so that leaders keep leading under load.
 */
export class FlowControl {
  readonly #limits: FlowLimits
  readonly #inFlight: Record<Exclude<FlowClass, 'exempt'>, number> = { read: 0, write: 0, 'long-running': 0 }

  constructor(limits: FlowLimits) {
    this.#limits = limits
  }

  /** Takes a place; throws 429. Every taken place must be released. */
  enter(flow: FlowClass): void {
    if (flow === 'exempt') return
    const limit = this.#limits[keys[flow]]
    if (this.#inFlight[flow] >= limit) {
      throw new ApiError(
        'TooManyRequests',
        'Too many requests, please try again later.',
        { retryAfterSeconds: 1 },
        { hint: `more than ${limit} ${flow} requests are in flight` },
      )
    }
    this.#inFlight[flow]++
  }

  leave(flow: FlowClass): void {
    if (flow !== 'exempt') this.#inFlight[flow]--
  }

  get inFlight(): Readonly<Record<Exclude<FlowClass, 'exempt'>, number>> {
    return this.#inFlight
  }
}
