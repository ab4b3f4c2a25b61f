import type { DeepReadonly } from '@continuo/core'
import type { MatchConditions, RequestMatcher } from '@continuo/lib-admission'
import type { MutatingWebhook, ValidatingWebhook } from '@continuo/workload'

/** One webhook of a configuration, made ready to be asked. Lives as long as this version of the configuration. */
export interface Webhook {
  /** Tells it from every other: of this configuration, at this place. */
  readonly id: string
  readonly configuration: string
  readonly settings: DeepReadonly<ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>>
  readonly matcher: RequestMatcher
  readonly conditions: MatchConditions
}
