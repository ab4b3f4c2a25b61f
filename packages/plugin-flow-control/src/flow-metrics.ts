import type { Metrics } from '@continuo/core'
import type { SeatRange } from './levels/share-seats.ts'

export type RejectReason = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

/** What is counted about one flow schema between two times that it is told. */
export class FlowCounts {
  readonly schema: string
  readonly level: string
  dispatched = 0
  readonly rejected = new Map<RejectReason, number>()

  constructor(schema: string, level: string) {
    this.schema = schema
    this.level = level
  }

  reject(reason: RejectReason): void {
    this.rejected.set(reason, (this.rejected.get(reason) ?? 0) + 1)
  }
}

/** How a level stands, for gauges. */
export interface LevelFigures {
  readonly name: string
  readonly running: number
  readonly seatsInUse: number
  readonly waiting: number
  readonly limit: number
  readonly range: SeatRange
  readonly smoothDemand: number
}

export interface FlowMetrics {
  /** Adds what was counted and begins anew: hot paths only count in numbers. */
  tell(counts: FlowCounts): void
  level(figures: LevelFigures): void
  waited(counts: FlowCounts, seconds: number, executed: boolean): void
  capacity(ratio: number): void
}

const waitBuckets = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]

/** Metrics under the names that Kubernetes' dashboards know. */
export function flowMetrics(metrics: Metrics): FlowMetrics {
  const both = ['flow_schema', 'priority_level']
  const dispatched = metrics.counter('apiserver_flowcontrol_dispatched_requests_total', 'Requests that were let run.', both)
  const rejected = metrics.counter('apiserver_flowcontrol_rejected_requests_total', 'Requests refused with 429.', [...both, 'reason'])
  const wait = metrics.histogram('apiserver_flowcontrol_request_wait_duration_seconds', 'Time in a queue, of requests that had to wait.', {
    labels: [...both, 'execute'],
    buckets: waitBuckets,
  })
  const one = ['priority_level']
  const gauges = {
    running: metrics.gauge('apiserver_flowcontrol_current_executing_requests', 'Requests that run.', one),
    seatsInUse: metrics.gauge('apiserver_flowcontrol_current_executing_seats', 'Seats that are taken.', one),
    waiting: metrics.gauge('apiserver_flowcontrol_current_inqueue_requests', 'Requests in queues.', one),
    limit: metrics.gauge('apiserver_flowcontrol_current_limit_seats', 'Seats that the level may take now.', one),
    smoothDemand: metrics.gauge('apiserver_flowcontrol_demand_seats_smoothed', 'Seats that the level asked for, smoothed.', one),
    nominal: metrics.gauge('apiserver_flowcontrol_nominal_limit_seats', 'Seats by shares alone.', one),
    lower: metrics.gauge('apiserver_flowcontrol_lower_limit_seats', 'Seats that are never lent.', one),
    upper: metrics.gauge('apiserver_flowcontrol_upper_limit_seats', 'Seats with everything that may be borrowed.', one),
  } as const
  const capacity = metrics.gauge('continuo_flow_capacity_ratio', 'Part of the seats that the event loop can serve now.')
  return {
    tell(counts) {
      const labels = { flow_schema: counts.schema, priority_level: counts.level }
      if (counts.dispatched > 0) dispatched.inc(labels, counts.dispatched)
      counts.dispatched = 0
      for (const [reason, count] of counts.rejected) rejected.inc({ ...labels, reason }, count)
      counts.rejected.clear()
    },
    level({ name, range, ...figures }) {
      const labels = { priority_level: name }
      for (const key of ['running', 'seatsInUse', 'waiting', 'limit', 'smoothDemand'] as const) gauges[key].set(figures[key], labels)
      for (const key of ['nominal', 'lower', 'upper'] as const) gauges[key].set(range[key], labels)
    },
    waited: ({ schema, level }, seconds, executed) =>
      wait.observe(seconds, { flow_schema: schema, priority_level: level, execute: String(executed) }),
    capacity: (ratio) => capacity.set(ratio),
  }
}
