import type { Metrics } from '@continuo/core'

/** What became of one question to a webhook. */
export interface Observation {
  readonly name: string
  readonly type: 'admit' | 'validating'
  readonly operation: string
  readonly seconds: number
  readonly rejected: boolean
  /** Of the answer or, without one, of what the client is told. */
  readonly code: number
  /** Why it was rejected: by the webhook itself, because it could not be asked, or by a fault of the API. */
  readonly errorType?: 'no_error' | 'calling_webhook_error' | 'apiserver_internal_error'
}

export interface WebhookMetrics {
  observe(observation: Observation): void
  failedOpen(name: string, type: Observation['type']): void
}

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25]

/** Metrics under the names of Kubernetes. */
export function webhookMetrics(metrics: Metrics): WebhookMetrics {
  const duration = metrics.histogram('apiserver_admission_webhook_admission_duration_seconds', 'Time that webhooks took to answer.', {
    labels: ['name', 'type', 'operation', 'rejected'],
    buckets,
  })
  const requests = metrics.counter('apiserver_admission_webhook_request_total', 'Questions to webhooks.', [
    'name',
    'type',
    'operation',
    'code',
    'rejected',
  ])
  const rejections = metrics.counter(
    'apiserver_admission_webhook_rejection_count',
    'Requests that webhooks, or their failures, rejected.',
    ['name', 'type', 'operation', 'error_type', 'rejection_code'],
  )
  const open = metrics.counter('apiserver_admission_webhook_fail_open_count', 'Failures of webhooks that were passed over.', [
    'name',
    'type',
  ])
  return {
    observe({ name, type, operation, seconds, rejected, code, errorType }) {
      const known = { name, type, operation }
      duration.observe(seconds, { ...known, rejected: String(rejected) })
      requests.inc({ ...known, rejected: String(rejected), code: String(code) })
      if (rejected) rejections.inc({ ...known, error_type: errorType ?? 'no_error', rejection_code: String(code) })
    },
    failedOpen: (name, type) => open.inc({ name, type }),
  }
}
