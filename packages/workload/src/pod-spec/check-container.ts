import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { Container, ContainerPort, PodSpec, Volume } from '../generated/types/core-v1.ts'
import { each } from '../rules/each.ts'
import { checkName, checkRequiredName, isDnsLabel, isPortName } from '../rules/names.ts'
import { checkAddress, checkOneOf, checkPortNumber } from '../rules/values.ts'
import { checkEnvironment } from './check-environment.ts'
import { checkLifecycle, checkProbe } from './check-probe.ts'
import { checkResources } from './check-resources.ts'
import { checkContainerSecurity } from './check-security.ts'

/** What the containers of one pod share and must not take twice. */
export interface PodScope {
  readonly names: Set<string>
  readonly hostPorts: Set<string>
  readonly volumes: ReadonlyMap<string, DeepReadonly<Volume>>
  /** Names of the pod's claims of devices. */
  readonly claims: ReadonlySet<string>
  readonly grace: number
}

export const podScope = (spec: DeepReadonly<PodSpec>): PodScope => ({
  names: new Set(),
  hostPorts: new Set(),
  volumes: new Map((spec.volumes ?? []).map((volume) => [volume.name, volume])),
  claims: new Set((spec.resourceClaims ?? []).map(({ name }) => name)),
  grace: spec.terminationGracePeriodSeconds ?? 30,
})

/** A container of the list `role` (`containers`, `initContainers` or `ephemeralContainers`). */
export function checkContainer(
  container: DeepReadonly<Container>,
  path: string,
  role: 'containers' | 'initContainers' | 'ephemeralContainers',
  scope: PodScope,
  errors: FieldError[],
): void {
  checkRequiredName(isDnsLabel, container.name, `${path}.name`, errors)
  if (container.name && scope.names.has(container.name)) errors.push(fieldError.duplicate(`${path}.name`, container.name))
  scope.names.add(container.name)
  if (!container.image) errors.push(fieldError.required(`${path}.image`))
  else if (container.image !== container.image.trim())
    errors.push(fieldError.invalid(`${path}.image`, container.image, 'must not have leading or trailing whitespace'))
  checkOneOf(container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError'], `${path}.terminationMessagePolicy`, errors)
  checkOneOf(container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], `${path}.imagePullPolicy`, errors)
  checkEnvironment(container, path, errors)
  checkMounts(container, path, scope, errors)
  checkResources(container.resources, `${path}.resources`, errors)
  checkContainerSecurity(container.securityContext, `${path}.securityContext`, errors)
  each(container.resources?.claims, `${path}.resources.claims`, ({ name }, at) => {
    if (!scope.claims.has(name)) errors.push(fieldError.notFound(`${at}.name`, name))
  })
  each(container.resizePolicy, `${path}.resizePolicy`, ({ resourceName, restartPolicy }, at) => {
    checkOneOf(resourceName, ['cpu', 'memory'], `${at}.resourceName`, errors)
    checkOneOf(restartPolicy, ['NotRequired', 'RestartContainer'], `${at}.restartPolicy`, errors)
  })
  const restartable = role === 'initContainers' && container.restartPolicy === 'Always'
  if (container.restartPolicy !== undefined && role !== 'ephemeralContainers')
    checkOneOf(container.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`, errors)
  if (role === 'containers' || restartable) {
    checkPorts(container.ports, `${path}.ports`, scope, errors)
    checkLifecycle(container.lifecycle, scope.grace, `${path}.lifecycle`, errors)
    checkProbe(container.livenessProbe, `${path}.livenessProbe`, 'liveness', errors)
    checkProbe(container.readinessProbe, `${path}.readinessProbe`, 'readiness', errors)
    checkProbe(container.startupProbe, `${path}.startupProbe`, 'startup', errors)
    return
  }
  const owner = role === 'initContainers' ? 'init containers without restartPolicy=Always' : 'ephemeral containers'
  for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    if (container[field] !== undefined) errors.push(fieldError.forbidden(`${path}.${field}`, `may not be set for ${owner}`))
  if (role === 'initContainers') checkPorts(container.ports, `${path}.ports`, scope, errors)
  else if (container.ports !== undefined) errors.push(fieldError.forbidden(`${path}.ports`, 'cannot be set for an Ephemeral Container'))
}

function checkPorts(ports: DeepReadonly<ContainerPort[]> | undefined, path: string, scope: PodScope, errors: FieldError[]): void {
  const names = new Set<string>()
  ports?.forEach((port, index) => {
    const at = `${path}[${index}]`
    if (port.name) {
      checkName(isPortName, port.name, `${at}.name`, errors)
      if (names.has(port.name)) errors.push(fieldError.duplicate(`${at}.name`, port.name))
      names.add(port.name)
    }
    if (!port.containerPort) errors.push(fieldError.required(`${at}.containerPort`))
    else checkPortNumber(port.containerPort, `${at}.containerPort`, errors)
    checkOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${at}.protocol`, errors)
    if (port.hostIP) checkAddress(port.hostIP, `${at}.hostIP`, errors)
    if (!port.hostPort) return
    checkPortNumber(port.hostPort, `${at}.hostPort`, errors)
    const taken = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`
    if (scope.hostPorts.has(taken)) errors.push(fieldError.duplicate(`${at}.hostPort`, taken))
    scope.hostPorts.add(taken)
  })
}

function checkMounts(container: DeepReadonly<Container>, path: string, scope: PodScope, errors: FieldError[]): void {
  const places = new Set<string>()
  container.volumeMounts?.forEach((mount, index) => {
    const at = `${path}.volumeMounts[${index}]`
    if (!mount.name) errors.push(fieldError.required(`${at}.name`))
    else if (!scope.volumes.has(mount.name)) errors.push(fieldError.notFound(`${at}.name`, mount.name))
    if (!mount.mountPath) errors.push(fieldError.required(`${at}.mountPath`))
    else if (places.has(mount.mountPath)) errors.push(fieldError.invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'))
    places.add(mount.mountPath)
    for (const field of ['subPath', 'subPathExpr'] as const) {
      const value = mount[field]
      if (value) checkRelativePath(value, `${at}.${field}`, errors)
    }
    checkOneOf(mount.mountPropagation, ['Bidirectional', 'HostToContainer', 'None'], `${at}.mountPropagation`, errors, false)
    if (mount.mountPropagation === 'Bidirectional' && container.securityContext?.privileged !== true)
      errors.push(
        fieldError.forbidden(`${at}.mountPropagation`, 'Bidirectional mount propagation is available only to privileged containers'),
      )
    if (mount.subPath && mount.subPathExpr)
      errors.push(fieldError.invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
  })
  container.volumeDevices?.forEach((device, index) => {
    const at = `${path}.volumeDevices[${index}]`
    if (!device.name) errors.push(fieldError.required(`${at}.name`))
    else if (!scope.volumes.has(device.name)) errors.push(fieldError.notFound(`${at}.name`, device.name))
    if (!device.devicePath) errors.push(fieldError.required(`${at}.devicePath`))
    else if (places.has(device.devicePath))
      errors.push(fieldError.invalid(`${at}.devicePath`, device.devicePath, 'must not already exist in volumeMounts'))
  })
}

/** A path inside a volume: never absolute, never out of it. */
export function checkRelativePath(value: string, path: string, errors: FieldError[]): void {
  if (value.startsWith('/')) errors.push(fieldError.invalid(path, value, 'must be a relative path'))
  if (value.split('/').includes('..')) errors.push(fieldError.invalid(path, value, "must not contain '..'"))
}
