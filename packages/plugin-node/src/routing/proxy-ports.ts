import type { DeepReadonly } from '@continuo/core'
import type { EndpointSlice, ProxyEndpoint, ProxyServicePort, Service } from '@continuo/workload'

/** What a proxy has to do for one service. Pure. Nothing for headless services and for those of another proxy. */
export function proxyPorts(service: DeepReadonly<Service>, slices: readonly DeepReadonly<EndpointSlice>[]): readonly ProxyServicePort[] {
  const spec = service.spec
  const clusterIPs = (spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP])).filter(
    (ip) => ip !== 'None' && ip !== '',
  )
  if (
    clusterIPs.length === 0 ||
    spec?.type === 'ExternalName' ||
    service.metadata.labels?.['service.kubernetes.io/service-proxy-name'] !== undefined
  )
    return []
  const namespace = service.metadata.namespace ?? 'default'
  return (spec?.ports ?? []).map((port) => ({
    id: `${namespace}/${service.metadata.name}:${port.name ?? ''}`,
    namespace,
    service: service.metadata.name,
    portName: port.name ?? '',
    protocol: (port.protocol ?? 'TCP') as ProxyServicePort['protocol'],
    clusterIPs,
    externalIPs: spec?.externalIPs ?? [],
    loadBalancerIPs: (service.status?.loadBalancer?.ingress ?? []).flatMap((ingress) => (ingress.ip === undefined ? [] : [ingress.ip])),
    port: port.port,
    nodePort: port.nodePort,
    sessionAffinitySeconds:
      spec?.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : undefined,
    internalTrafficPolicy: (spec?.internalTrafficPolicy ?? 'Cluster') as 'Cluster',
    externalTrafficPolicy: (spec?.externalTrafficPolicy ?? 'Cluster') as 'Cluster',
    endpoints: endpointsOf(port.name ?? '', (port.protocol ?? 'TCP') as string, slices),
  }))
}

function endpointsOf(portName: string, protocol: string, slices: readonly DeepReadonly<EndpointSlice>[]): readonly ProxyEndpoint[] {
  const seen = new Map<string, ProxyEndpoint>()
  for (const slice of slices) {
    const port = slice.ports?.find((other) => (other.name ?? '') === portName && (other.protocol ?? 'TCP') === protocol)?.port
    if (port === undefined) continue
    for (const endpoint of slice.endpoints ?? []) {
      const ip = endpoint.addresses[0]
      if (ip === undefined) continue
      const ready = endpoint.conditions?.ready ?? true
      const terminating = endpoint.conditions?.terminating ?? false
      seen.set(`${ip}:${port}`, {
        ip,
        port,
        ready,
        serving: endpoint.conditions?.serving ?? ready,
        terminating,
        nodeName: endpoint.nodeName,
        zone: endpoint.zone,
        forZones: endpoint.hints?.forZones?.map(({ name }) => name),
        forNodes: endpoint.hints?.forNodes?.map(({ name }) => name),
      })
    }
  }
  return [...seen.values()].sort((a, b) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : a.port - b.port))
}
