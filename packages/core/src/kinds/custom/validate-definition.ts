import { type FieldError, fieldError } from '../../errors/field-error.ts'
import { dns1035LabelFaults, dnsSubdomainFaults } from '../../objects/name-rules.ts'
import type { DeepReadonly } from '../../objects/object.ts'
import { jsonEqual } from '../../schema/json-value.ts'
import type { Schema } from '../../schema/schema.ts'
import { isTrue } from './conditions.ts'
import type { CustomResourceDefinition } from './custom-resource-definition.ts'
import type { CustomResourceExtensions, SchemaRules } from './custom-resource-extensions.ts'
import { validateVersion } from './validate-version.ts'

type Definition = DeepReadonly<CustomResourceDefinition>

/** What is wrong with a definition, in Kubernetes' words where clients know them. Rules that an update does not touch are not judged again. */
export function validateDefinition(definition: Definition, old?: Definition, extensions: CustomResourceExtensions = {}): FieldError[] {
  const { spec, metadata } = definition
  const errors: FieldError[] = []
  validateStoredVersions(definition, errors)
  // What is served stays so while its status is written, whatever has become stricter since.
  if (old !== undefined && jsonEqual(spec, old.spec)) return errors
  const expected = `${spec.names.plural}.${spec.group}`
  if (metadata.name !== expected)
    errors.push(fieldError.invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
  validateGroup(definition, errors)
  validateNames(definition, errors)
  if (spec.scope !== 'Namespaced' && spec.scope !== 'Cluster')
    errors.push(fieldError.notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']))
  if (spec.preserveUnknownFields === true) {
    errors.push(
      fieldError.invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    )
  }
  validateConversion(definition, extensions, errors)
  validateVersions(definition, errors)
  if (errors.length === 0 && extensions.rules !== undefined) validateRules(definition, old, extensions.rules, errors)
  return errors
}

function validateConversion({ spec }: Definition, { conversions }: CustomResourceExtensions, errors: FieldError[]): void {
  const { conversion } = spec
  if (conversion === undefined) return
  const { strategy, webhook } = conversion
  const at = 'spec.conversion'
  if (strategy === 'None') {
    if (webhook !== undefined) errors.push(fieldError.forbidden(`${at}.webhook`, 'should not be set when strategy is not set to Webhook'))
  } else if (strategy === 'Webhook') {
    const provider = conversions?.get(strategy)
    if (provider === undefined)
      errors.push(
        fieldError.invalid(
          `${at}.strategy`,
          strategy,
          'conversion by webhook is not served here, because no plugin provides custom-conversion/v1 for it: use strategy None',
        ),
      )
    else errors.push(...provider.check(conversion, at))
  } else errors.push(fieldError.notSupported(`${at}.strategy`, strategy, ['None', 'Webhook']))
}

/** Judges the rules of each schema that is new or changed. Schemas have been found structural. */
function validateRules({ spec }: Definition, old: Definition | undefined, rules: SchemaRules, errors: FieldError[]): void {
  spec.versions.forEach((version, index) => {
    const schema = version.schema?.openAPIV3Schema as Schema | undefined
    const before = old?.spec.versions.find((candidate) => candidate.name === version.name)?.schema?.openAPIV3Schema
    if (schema === undefined || (before !== undefined && jsonEqual(schema, before))) return
    errors.push(...rules.check(schema, `spec.versions[${index}].schema.openAPIV3Schema`))
  })
}

function validateGroup({ spec, metadata }: Definition, errors: FieldError[]): void {
  const { group } = spec
  if (group === '') errors.push(fieldError.required('spec.group'))
  else {
    for (const fault of dnsSubdomainFaults(group)) errors.push(fieldError.invalid('spec.group', group, fault))
    if (!group.includes('.')) errors.push(fieldError.invalid('spec.group', group, 'should be a domain with at least one dot'))
  }
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return
  const at = 'metadata.annotations[api-approved.kubernetes.io]'
  const approval = metadata.annotations?.['api-approved.kubernetes.io'] ?? ''
  const pull = 'see https://github.com/kubernetes/enhancements/pull/1111'
  if (approval === '')
    errors.push(fieldError.required(at, `protected groups must have approval annotation "api-approved.kubernetes.io", ${pull}`))
  else if (!approval.startsWith('unapproved') && !URL.canParse(approval))
    errors.push(
      fieldError.invalid(
        at,
        approval,
        `protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", ${pull}`,
      ),
    )
}

function validateNames({ spec }: Definition, errors: FieldError[]): void {
  const { names } = spec
  const check = (field: string, value: string): void => {
    for (const fault of dns1035LabelFaults(value.toLowerCase())) errors.push(fieldError.invalid(`spec.names.${field}`, value, fault))
  }
  for (const field of ['plural', 'singular'] as const) {
    const value = names[field]
    if (value === undefined) continue
    for (const fault of dns1035LabelFaults(value)) errors.push(fieldError.invalid(`spec.names.${field}`, value, fault))
  }
  check('kind', names.kind)
  if (names.listKind !== undefined) {
    check('listKind', names.listKind)
    if (names.listKind === names.kind)
      errors.push(fieldError.invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
  }
  names.shortNames?.forEach((name, index) => {
    for (const fault of dns1035LabelFaults(name)) errors.push(fieldError.invalid(`spec.names.shortNames[${index}]`, name, fault))
  })
  names.categories?.forEach((name, index) => {
    for (const fault of dns1035LabelFaults(name)) errors.push(fieldError.invalid(`spec.names.categories[${index}]`, name, fault))
  })
}

function validateVersions({ spec }: Definition, errors: FieldError[]): void {
  const { versions } = spec
  if (versions.length === 0) errors.push(fieldError.required('spec.versions', 'must have at least one version'))
  const seen = new Set<string>()
  versions.forEach((version, index) => {
    const at = `spec.versions[${index}]`
    for (const fault of dns1035LabelFaults(version.name)) errors.push(fieldError.invalid(`${at}.name`, version.name, fault))
    if (seen.has(version.name)) errors.push(fieldError.duplicate(`${at}.name`, version.name))
    seen.add(version.name)
    validateVersion(version, at, errors)
  })
  if (versions.length > 0 && versions.filter((version) => version.storage).length !== 1) {
    errors.push(
      fieldError.invalid(
        'spec.versions',
        versions.map((version) => version.name),
        'must have exactly one version marked as storage version',
      ),
    )
  }
}

/** Objects may be stored in these versions: each must be there to read them, and the one that is written now is one of them. */
function validateStoredVersions({ spec, status }: Definition, errors: FieldError[]): void {
  const stored = status?.storedVersions
  if (stored === undefined) return
  const names = new Set(spec.versions.map(({ name }) => name))
  const storage = spec.versions.find((version) => version.storage)?.name
  if (stored.length === 0) errors.push(fieldError.invalid('status.storedVersions', stored, 'must have at least one stored version'))
  else if (storage !== undefined && !stored.includes(storage))
    errors.push(fieldError.invalid('status.storedVersions', stored, `must have the storage version ${storage}`))
  stored.forEach((stored, index) => {
    if (names.has(stored)) return
    const why = `${stored} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${stored} and removes ${stored} from status.storedVersions`
    errors.push(fieldError.invalid(`status.storedVersions[${index}]`, stored, `missing from spec.versions; ${why}`))
  })
}

/** What an update may not change once the kind is served. */
export function validateDefinitionUpdate(next: Definition, old: Definition): FieldError[] {
  const errors: FieldError[] = []
  const immutable = (field: string, value: unknown, before: unknown): void => {
    if (value !== before) errors.push(fieldError.invalid(field, value, 'field is immutable'))
  }
  immutable('spec.group', next.spec.group, old.spec.group)
  if (isTrue(old.status?.conditions, 'Established')) {
    immutable('spec.scope', next.spec.scope, old.spec.scope)
    immutable('spec.names.kind', next.spec.names.kind, old.spec.names.kind)
  }
  return errors
}
