import { type AdmissionRequest, type DeepReadonly, type FieldError, invalid, jsonEqual } from '@continuo/core'
import { checkConditionExpressions, environment } from '@continuo/lib-admission'
import type { MutatingWebhookConfiguration, ValidatingWebhookConfiguration } from '@continuo/workload'

type Configuration = DeepReadonly<MutatingWebhookConfiguration | ValidatingWebhookConfiguration>

/** What match conditions of webhooks may name, and that they say yes or no. */
export const conditionEnvironment = environment({ hasAuthorizer: true, result: ['bool'] })

const kinds = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']

/** Refuses a configuration with a match condition that does not compile. Throws 422. */
export function checkConditions(request: AdmissionRequest): void {
  const { kind, object, oldObject, operation } = request
  if (kind.group !== 'admissionregistration.k8s.io' || !kinds.includes(kind.kind)) return
  if (object === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return
  const { webhooks } = object as unknown as Configuration
  if (jsonEqual(webhooks, (oldObject as unknown as Configuration | undefined)?.webhooks)) return
  const errors: FieldError[] = []
  webhooks?.forEach(({ matchConditions }, index) => {
    checkConditionExpressions(matchConditions, conditionEnvironment, `webhooks[${index}].matchConditions`, errors)
  })
  if (errors.length > 0) throw invalid(kind, request.name, errors)
}
