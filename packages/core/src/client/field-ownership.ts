import { type ApplyConfigurationOptions, applyConfiguration } from '../apply/apply-configuration.ts'
import { emptyFields, type FieldSet } from '../apply/field-set.ts'
import { updateManagedFields } from '../apply/update-managed-fields.ts'
import { formatTime } from '../clock/clock.ts'
import { mutableCopy } from '../objects/mutable-copy.ts'
import type { DeepReadonly, KubeObject, UnstructuredObject } from '../objects/object.ts'
import { hasStatusSubresource } from './object-parts.ts'
import type { Target } from './target.ts'
import type { WriteSession } from './write-session.ts'

const statusFields: FieldSet = { 'f:status': emptyFields }

/** What a write through this target cannot own: the status, when it has a subresource of its own. */
const ignoredBy = (target: Target): FieldSet | undefined =>
  target.subresource === undefined && hasStatusSubresource(target.served.version) ? statusFields : undefined

function ownership(session: WriteSession, target: Target): Omit<ApplyConfigurationOptions, 'live' | 'config' | 'force'> {
  const ignored = ignoredBy(target)
  return {
    schema: target.served.schema,
    manager: session.manager,
    apiVersion: target.form.apiVersion,
    now: formatTime(session.parts.clock.now()),
    ...(target.subresource === undefined ? {} : { subresource: target.subresource.name }),
    ...(ignored === undefined ? {} : { ignored }),
  }
}

/** Records in `next` that this write's manager owns what it changed. `next` is changed in place. */
export function ownFields(
  session: WriteSession,
  target: Target,
  old: DeepReadonly<UnstructuredObject> | undefined,
  next: UnstructuredObject,
): void {
  const managedFields = updateManagedFields({ ...ownership(session, target), old: old as KubeObject | undefined, next })
  if (managedFields === undefined) delete next.metadata.managedFields
  else next.metadata.managedFields = managedFields
}

/** Lays an applied configuration over the object. What it returns is private to the caller and has its managedFields. Throws 409 for fields of others. */
export function applyFields(
  session: WriteSession,
  target: Target,
  live: DeepReadonly<UnstructuredObject> | undefined,
  configuration: UnstructuredObject,
  force: boolean,
): UnstructuredObject {
  const applied = applyConfiguration({ ...ownership(session, target), live: live as KubeObject | undefined, config: configuration, force })
  return mutableCopy(applied) as UnstructuredObject
}
