import { forbidden, type Log } from '@continuo/core'
import {
  type AdmissionSubject,
  activation,
  type Decisions,
  passesFailures,
  type ResourceForm,
  type VersionedObjects,
} from '@continuo/lib-admission'
import type { Webhook } from '../configuration/webhook.ts'

/** Whether a webhook is to be asked. A condition that fails is a failure of the webhook: throws 403 unless that is passed over. */
export async function meetsConditions(
  webhook: Webhook,
  subject: AdmissionSubject,
  form: ResourceForm,
  objects: VersionedObjects,
  decisions: Decisions,
  log: Log,
): Promise<boolean> {
  if (webhook.conditions.isEmpty) return true
  const { matches, error } = await webhook.conditions.evaluate(activation(subject, form, objects, decisions))
  if (error === undefined) return matches
  if (webhook.settings.failurePolicy !== 'Ignore' && !passesFailures(subject.request))
    throw forbidden(subject.resource, subject.name, error)
  log.warn(
    { webhook: webhook.settings.name, configuration: webhook.configuration, error },
    'a match condition failed and its webhook was passed over',
  )
  return false
}
