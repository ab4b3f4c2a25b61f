import type { Caller, Metrics, Random } from '@continuo/core'
import type { FlowController, FlowPlace } from '@continuo/workload'
import type { RequestPath, ResourcePath } from '../request/path.ts'
import type { Operation } from '../resources/operation.ts'
import type { Exchange } from './exchange.ts'
import { type FlowClass, FlowControl, type FlowLimits } from './flow-control.ts'
import type { RequestMetrics } from './request-metrics.ts'

export interface PlacesOptions {
  /** What holds without a flow controller; of watches and streams, always. */
  readonly flow: FlowLimits
  readonly flowControl?: FlowController
  readonly random: Random
  readonly metrics: Metrics
}

const leaseGroup = 'coordination.k8s.io'
const longestLingerMs = 2_000

type Run = () => Promise<void>

/** Where requests take their turns: on the seats of the flow controller where one is composed, else within fixed limits. */
export class Places {
  readonly #flow: FlowControl
  readonly #controller: FlowController | undefined
  readonly #random: Random
  readonly #metrics: RequestMetrics

  constructor({ flow, flowControl, random }: PlacesOptions, metrics: RequestMetrics) {
    this.#flow = new FlowControl(flow)
    this.#controller = flowControl
    this.#random = random
    this.#metrics = metrics
  }

  /** A request for a resource of this server. Throws 429 when there is no place, and when none gets free in time. */
  take(exchange: Exchange, path: ResourcePath, { type }: Operation, caller: Caller, run: Run): Promise<void> {
    if (this.#controller !== undefined && type !== 'connect') {
      const seated = () => this.seated(exchange, path, type, caller, run)
      return type === 'watch' ? this.longRunning(seated) : seated()
    }
    if (type === 'watch' || type === 'connect') return this.longRunning(run)
    return this.#holding(path.group === leaseGroup ? 'exempt' : type === 'get' || type === 'list' ? 'read' : 'write', run)
  }

  /** On a seat of the flow controller, if there is one. Without a promise of its own where a seat is free. */
  seated(exchange: Exchange, path: RequestPath, verb: string, caller: Caller, run: Run): Promise<void> {
    if (this.#controller === undefined) return run()
    const place = this.#controller.enter(caller.user, verb, path, exchange)
    return place instanceof Promise ? place.then((late) => runOn(late, exchange, run)) : runOn(place, exchange, run)
  }

  /** One of the many watches and streams that may be open. Throws 429 when they are too many. */
  async longRunning(run: Run): Promise<void> {
    const tell = (): void => this.#metrics.longRunning(this.#flow.inFlight['long-running'])
    await this.#holding('long-running', () => {
      tell()
      return run()
    }).finally(tell)
  }

  /** Watches end over a time that grows with their number, a millisecond for each. */
  lingerMs(): number {
    return Math.min(longestLingerMs, this.#flow.inFlight['long-running']) * this.#random.next()
  }

  async #holding(flow: FlowClass, run: Run): Promise<void> {
    try {
      this.#flow.enter(flow)
    } catch (error) {
      this.#metrics.refused(flow)
      throw error
    }
    try {
      await run()
    } finally {
      this.#flow.leave(flow)
    }
  }
}

/** Whatever becomes of it, the seat is given back. */
async function runOn(place: FlowPlace, exchange: Exchange, run: Run): Promise<void> {
  exchange.place = place
  try {
    await run()
  } finally {
    place.leave()
  }
}
