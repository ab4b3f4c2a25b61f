import type { Container, ContainerPort, EnvVar, EphemeralContainer, HTTPGetAction, Lifecycle, Probe } from '../generated/types/core-v1.ts'

/** Fills in a container as Kubernetes does (`pkg/apis/core/v1/defaults.go`). Changes its argument. */
export function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ??= pullPolicyOf(container.image ?? '')
  container.terminationMessagePath ??= '/dev/termination-log'
  container.terminationMessagePolicy ??= 'File'
  container.resources ??= {}
  for (const variable of container.env ?? []) defaultVariable(variable)
  for (const port of container.ports ?? []) port.protocol ??= 'TCP'
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    if (probe !== undefined) defaultProbe(probe)
  if (container.lifecycle !== undefined) defaultLifecycle(container.lifecycle)
}

/** `Always` for an image without tag and digest, or with the tag `latest`; else `IfNotPresent`. */
export function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  const [reference, digest] = image.split('@') as [string, string?]
  const name = reference.slice(reference.lastIndexOf('/') + 1)
  const colon = name.indexOf(':')
  if (colon < 0) return digest === undefined ? 'Always' : 'IfNotPresent'
  return name.slice(colon + 1) === 'latest' ? 'Always' : 'IfNotPresent'
}

/** With the host's network every port is a port of the host. */
export function defaultHostPorts(ports: readonly ContainerPort[] | undefined): void {
  for (const port of ports ?? []) if (!port.hostPort) port.hostPort = port.containerPort
}

function defaultVariable({ valueFrom }: EnvVar): void {
  if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ??= 'v1'
  if (valueFrom?.resourceFieldRef !== undefined) valueFrom.resourceFieldRef.divisor ??= '0'
  if (valueFrom?.fileKeyRef !== undefined) valueFrom.fileKeyRef.optional ??= false
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  if (probe.httpGet !== undefined) defaultHttpGet(probe.httpGet)
  if (probe.grpc !== undefined) probe.grpc.service ??= ''
}

function defaultHttpGet(action: HTTPGetAction): void {
  action.path ||= '/'
  action.scheme ??= 'HTTP'
}

function defaultLifecycle(lifecycle: Lifecycle): void {
  for (const handler of [lifecycle.postStart, lifecycle.preStop]) if (handler?.httpGet !== undefined) defaultHttpGet(handler.httpGet)
}
