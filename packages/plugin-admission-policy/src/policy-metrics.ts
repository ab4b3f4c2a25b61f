import type { Clock, Metrics } from '@continuo/core'
import type { Failure } from './validating/validating-evaluator.ts'

/** Tells how an evaluation went, once it is over. */
export type Observed = (failures: readonly Pick<Failure, 'isError'>[], actions: readonly string[]) => void

export interface PolicyMetrics {
  timed(type: 'validating' | 'mutating', policy: string, binding: string): Observed
}

const buckets = [0.0000005, 0.001, 0.01, 0.1, 1]
const labels = ['policy', 'policy_binding', 'error_type', 'enforcement_action']

/** Metrics under the names of Kubernetes. */
export function policyMetrics(metrics: Metrics, clock: Clock): PolicyMetrics {
  const made = {
    validating: {
      checks: metrics.counter('apiserver_validating_admission_policy_check_total', 'Evaluations of validating admission policies.', labels),
      duration: metrics.histogram(
        'apiserver_validating_admission_policy_check_duration_seconds',
        'Time that evaluations of validating admission policies took.',
        {
          labels,
          buckets,
        },
      ),
    },
    mutating: {
      checks: metrics.counter('apiserver_mutating_admission_policy_check_total', 'Evaluations of mutating admission policies.', labels),
      duration: metrics.histogram(
        'apiserver_mutating_admission_policy_check_duration_seconds',
        'Time that evaluations of mutating admission policies took.',
        {
          labels,
          buckets,
        },
      ),
    },
  }
  return {
    timed(type, policy, binding) {
      const began = clock.monotonic()
      return (failures, actions) => {
        const seconds = (clock.monotonic() - began) / 1000
        const errorType = failures.some(({ isError }) => isError) ? 'invalid_error' : 'no_error'
        for (const action of failures.length === 0 ? ['allow'] : actions.map((one) => one.toLowerCase())) {
          const observed = { policy, policy_binding: binding, error_type: errorType, enforcement_action: action }
          made[type].checks.inc(observed)
          made[type].duration.observe(seconds, observed)
        }
      }
    },
  }
}
