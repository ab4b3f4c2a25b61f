import type { MutatingWebhookConfiguration as MutatingWebhookConfigurationObject } from '../../generated/types/admissionregistration-v1.ts'
import { each } from '../../rules/each.ts'
import { checkOneOf } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkWebhooks, defaultWebhooks } from './webhooks.ts'

export type MutatingWebhookConfiguration = MutatingWebhookConfigurationObject
/** Handle of mutatingwebhookconfigurations in admissionregistration.k8s.io/v1. */
export const MutatingWebhookConfiguration = kindOf<MutatingWebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'mutatingwebhookconfigurations',
)

export const mutatingWebhookConfigurationResource = workloadResource(MutatingWebhookConfiguration, {
  categories: ['api-extensions'],
  table: table<MutatingWebhookConfiguration>(
    nameColumn(),
    integer('Webhooks', ({ webhooks }) => webhooks?.length ?? 0),
    ageColumn(),
  ),
  strategy: strategyOf<MutatingWebhookConfiguration>({
    countsGeneration: true,
    default({ webhooks }) {
      defaultWebhooks(webhooks)
      for (const webhook of webhooks ?? []) webhook.reinvocationPolicy ??= 'Never'
    },
    validate({ webhooks }, errors) {
      checkWebhooks(webhooks, errors)
      each(webhooks, 'webhooks', ({ reinvocationPolicy }, path) =>
        checkOneOf(reinvocationPolicy, ['IfNeeded', 'Never'], `${path}.reinvocationPolicy`, errors),
      )
    },
  }),
})
