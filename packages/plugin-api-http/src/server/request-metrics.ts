import type { Metrics } from '@continuo/core'

/** What is counted about requests, under the names that Kubernetes' dashboards know. */
export interface RequestMetrics {
  observe(labels: { readonly verb: string; readonly resource: string; readonly code: number }, seconds: number): void
  refused(flow: string): void
  watches(count: number): void
}

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export function requestMetrics(metrics: Metrics): RequestMetrics {
  const total = metrics.counter('apiserver_request_total', 'Requests by verb, resource and code.', ['verb', 'resource', 'code'])
  const duration = metrics.histogram(
    'apiserver_request_duration_seconds',
    'Time from the request to the end of its answer, streams apart.',
    { labels: ['verb', 'resource'], buckets },
  )
  const rejected = metrics.counter('apiserver_flowcontrol_rejected_requests_total', 'Requests refused with 429.', ['class'])
  const longRunning = metrics.gauge('apiserver_longrunning_requests', 'Watches and streams that are open.')
  const codes = new Map<number, string>()
  return {
    observe({ verb, resource, code }, seconds) {
      let text = codes.get(code)
      if (text === undefined) {
        text = String(code)
        codes.set(code, text)
      }
      total.inc({ verb, resource, code: text })
      if (verb !== 'watch' && verb !== 'connect') duration.observe(seconds, { verb, resource })
    },
    refused: (flow) => rejected.inc({ class: flow }),
    watches: (count) => longRunning.set(count),
  }
}
