import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { EnvFromSource, EnvVar, EnvVarSource } from '../generated/types/core-v1.ts'
import { each } from '../rules/each.ts'
import { checkName, checkRequiredName, isConfigKey, isDnsSubdomain, isEnvironmentName } from '../rules/names.ts'

/** Fields of a pod that an environment variable may take its value from. */
const fieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
const subscript = /^metadata\.(labels|annotations)\['.+'\]$/
const resourcePaths = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/

/** The variables of a container and the sources of whole sets of them. */
export function checkEnvironment(
  container: DeepReadonly<{ env?: EnvVar[]; envFrom?: EnvFromSource[] }>,
  path: string,
  errors: FieldError[],
): void {
  container.env?.forEach((variable, index) => {
    const at = `${path}.env[${index}]`
    checkRequiredName(isEnvironmentName, variable.name, `${at}.name`, errors)
    if (variable.valueFrom !== undefined) checkValueFrom(variable.valueFrom, variable.value, `${at}.valueFrom`, errors)
  })
  each(container.envFrom, `${path}.envFrom`, (source, at) => checkEnvFrom(source, at, errors))
}

function checkValueFrom(source: DeepReadonly<EnvVarSource>, value: string | undefined, path: string, errors: FieldError[]): void {
  const given = [source.fieldRef, source.resourceFieldRef, source.configMapKeyRef, source.secretKeyRef, source.fileKeyRef].filter(
    (one) => one !== undefined,
  ).length
  if (given === 0)
    errors.push(fieldError.invalid(path, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'))
  else if (value) errors.push(fieldError.invalid(path, '', 'may not be specified when `value` is not empty'))
  else if (given > 1) errors.push(fieldError.invalid(path, '', 'may not have more than one field specified at a time'))
  if (source.fieldRef !== undefined) checkFieldRef(source.fieldRef.fieldPath, `${path}.fieldRef.fieldPath`, errors)
  if (source.resourceFieldRef !== undefined) checkResourceRef(source.resourceFieldRef.resource, `${path}.resourceFieldRef.resource`, errors)
  for (const name of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = source[name]
    if (reference === undefined) continue
    if (!reference.name) errors.push(fieldError.required(`${path}.${name}.name`))
    checkRequiredName(isConfigKey, reference.key, `${path}.${name}.key`, errors)
  }
}

/** A path into the pod, as the downward API knows them. */
export function checkFieldRef(
  fieldPath: string | undefined,
  path: string,
  errors: FieldError[],
  allowed: readonly string[] = fieldPaths,
): void {
  if (!fieldPath) errors.push(fieldError.required(path))
  else if (!allowed.includes(fieldPath) && !subscript.test(fieldPath)) {
    if (/^(metadata|spec|status)\./.test(fieldPath)) errors.push(fieldError.notSupported(path, fieldPath, allowed))
    else errors.push(fieldError.invalid(path, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`))
  }
}

export function checkResourceRef(resource: string | undefined, path: string, errors: FieldError[]): void {
  if (!resource) errors.push(fieldError.required(path))
  else if (!resourcePaths.test(resource))
    errors.push(
      fieldError.notSupported(path, resource, [
        'limits.cpu',
        'limits.ephemeral-storage',
        'limits.memory',
        'requests.cpu',
        'requests.ephemeral-storage',
        'requests.memory',
      ]),
    )
}

function checkEnvFrom(source: DeepReadonly<EnvFromSource>, path: string, errors: FieldError[]): void {
  if (source.prefix) checkName(isEnvironmentName, source.prefix, `${path}.prefix`, errors)
  const given = [source.configMapRef, source.secretRef].filter((one) => one !== undefined).length
  if (given === 0) errors.push(fieldError.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
  if (given > 1) errors.push(fieldError.invalid(path, '', 'may not have more than one field specified at a time'))
  for (const name of ['configMapRef', 'secretRef'] as const) {
    const reference = source[name]
    if (reference !== undefined) checkRequiredName(isDnsSubdomain, reference.name, `${path}.${name}.name`, errors)
  }
}
