import type { DeepReadonly } from '@continuo/core'
import type { ServiceSpec } from '../../generated/types/core-v1.ts'
import { addressFamily } from '../../rules/values.ts'

/** Three hours: how long a client stays with its endpoint. */
const affinitySeconds = 10_800
const exposesPorts = (type: string | undefined): boolean => type === 'NodePort' || type === 'LoadBalancer'

/** Fills in a service (`pkg/apis/core/v1/defaults.go`, SetDefaults_Service). Changes its argument. */
export function defaultService(spec: ServiceSpec): void {
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  else {
    spec.sessionAffinityConfig ??= {}
    spec.sessionAffinityConfig.clientIP ??= {}
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= affinitySeconds
  }
  spec.type ||= 'ClusterIP'
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP'
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port
  }
  if (exposesPorts(spec.type)) spec.externalTrafficPolicy ||= 'Cluster'
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
  if (spec.type === 'ExternalName') return
  spec.internalTrafficPolicy ||= 'Cluster'
  if (spec.clusterIP && (spec.clusterIPs?.length ?? 0) === 0) spec.clusterIPs = [spec.clusterIP]
  const first = spec.clusterIPs?.[0]
  if (first !== undefined) spec.clusterIP ||= first
  if (spec.ipFamilyPolicy === undefined && first === 'None' && Object.keys(spec.selector ?? {}).length === 0)
    spec.ipFamilyPolicy = 'RequireDualStack'
  spec.ipFamilyPolicy ??= 'SingleStack'
  if ((spec.ipFamilies?.length ?? 0) > 0) return
  spec.ipFamilies = [first !== undefined && addressFamily(first) === 6 ? 'IPv6' : 'IPv4']
  if (spec.ipFamilyPolicy === 'RequireDualStack') spec.ipFamilies.push(spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4')
}

/**
 * An update that does not mention what was allocated keeps it, as long as the service still needs it
 * (`pkg/registry/core/service`, patchAllocatedValues), so that `kubectl apply` and `replace` of the original manifest work.
 */
export function keepAllocated(next: ServiceSpec, old: DeepReadonly<ServiceSpec>): void {
  if (next.type !== 'ExternalName' && old.type !== 'ExternalName' && !next.clusterIP && (next.clusterIPs?.length ?? 0) === 0) {
    if (old.clusterIP) next.clusterIP = old.clusterIP
    if (old.clusterIPs !== undefined) next.clusterIPs = [...old.clusterIPs]
  }
  if (next.type === 'ExternalName' && next.clusterIP === old.clusterIP)
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) delete next[field]
  if (exposesPorts(next.type) && exposesPorts(old.type)) {
    const taken = new Set((next.ports ?? []).map((port) => port.nodePort))
    for (const port of next.ports ?? []) {
      const before = old.ports?.find((candidate) => candidate.port === port.port && candidate.protocol === port.protocol)?.nodePort
      if (!port.nodePort && before && !taken.has(before)) port.nodePort = before
    }
  }
  releaseUnneeded(next, old)
  // Back to a cluster-only service: ports that the client merely repeats are released.
  if (!exposesPorts(next.type) && exposesPorts(old.type))
    for (const port of next.ports ?? []) if (old.ports?.some((candidate) => candidate.nodePort === port.nodePort)) delete port.nodePort
  if (
    next.healthCheckNodePort === undefined &&
    next.type === 'LoadBalancer' &&
    next.externalTrafficPolicy === 'Local' &&
    old.healthCheckNodePort
  )
    next.healthCheckNodePort = old.healthCheckNodePort
}

/** What the new type has no use for goes, when the client merely repeats it (`pkg/registry/core/service`, dropTypeDependentFields). */
function releaseUnneeded(next: ServiceSpec, old: DeepReadonly<ServiceSpec>): void {
  const isBalanced = next.type === 'LoadBalancer'
  const isExternal = exposesPorts(next.type) || (next.externalIPs?.length ?? 0) > 0
  if (!isExternal && next.externalTrafficPolicy === old.externalTrafficPolicy) delete next.externalTrafficPolicy
  if (isBalanced) return
  for (const field of ['healthCheckNodePort', 'allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const)
    if (next[field] === old[field]) delete next[field]
}
