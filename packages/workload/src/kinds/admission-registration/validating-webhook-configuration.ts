import type { ValidatingWebhookConfiguration as ValidatingWebhookConfigurationObject } from '../../generated/types/admissionregistration-v1.ts'
import { ageColumn, integer, nameColumn, table } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkWebhooks, defaultWebhooks } from './webhooks.ts'

export type ValidatingWebhookConfiguration = ValidatingWebhookConfigurationObject
/** Handle of validatingwebhookconfigurations in admissionregistration.k8s.io/v1. */
export const ValidatingWebhookConfiguration = kindOf<ValidatingWebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'validatingwebhookconfigurations',
)

export const validatingWebhookConfigurationResource = workloadResource(ValidatingWebhookConfiguration, {
  categories: ['api-extensions'],
  table: table<ValidatingWebhookConfiguration>(
    nameColumn(),
    integer('Webhooks', ({ webhooks }) => webhooks?.length ?? 0),
    ageColumn(),
  ),
  strategy: strategyOf<ValidatingWebhookConfiguration>({
    countsGeneration: true,
    default: ({ webhooks }) => defaultWebhooks(webhooks),
    validate: ({ webhooks }, errors) => checkWebhooks(webhooks, errors),
  }),
})
