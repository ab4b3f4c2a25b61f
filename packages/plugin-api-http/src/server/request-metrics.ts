import type { Labels, Metrics } from '@continuo/core'

/** What is counted about requests, under the names that Kubernetes' dashboards know. */
export interface RequestMetrics {
  observe(verb: string, resource: string, code: number, seconds: number): void
  refused(flow: string): void
  longRunning(count: number): void
}

const maxLabelSets = 10_000
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export function requestMetrics(metrics: Metrics): RequestMetrics {
  const total = metrics.counter('apiserver_request_total', 'Requests by verb, resource and code.', ['verb', 'resource', 'code'])
  const duration = metrics.histogram(
    'apiserver_request_duration_seconds',
    'Time from the request to the end of its answer, streams apart.',
    { labels: ['verb', 'resource'], buckets },
  )
  const rejected = metrics.counter('apiserver_flowcontrol_rejected_requests_total', 'Requests refused with 429.', [
    'flow_schema',
    'priority_level',
    'reason',
  ])
  const longRunning = metrics.gauge('apiserver_longrunning_requests', 'Watches and streams that are open.')
  // What clients send is bounded before it gets here, so these few objects are made once.
  const labels = new Map<string, { readonly total: Labels; readonly duration: Labels }>()
  return {
    observe(verb, resource, code, seconds) {
      const key = `${verb}/${resource}/${code}`
      let known = labels.get(key)
      if (known === undefined) {
        known = { total: { verb, resource, code: String(code) }, duration: { verb, resource } }
        if (labels.size < maxLabelSets) labels.set(key, known)
      }
      total.inc(known.total)
      if (verb !== 'watch' && verb !== 'connect') duration.observe(seconds, known.duration)
    },
    // Without priority and fairness the classes of requests are what levels are with it.
    refused: (flow) => rejected.inc({ flow_schema: flow, priority_level: flow, reason: 'concurrency-limit' }),
    longRunning: (count) => longRunning.set(count),
  }
}
