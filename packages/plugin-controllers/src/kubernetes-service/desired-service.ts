import { isIPv6 } from 'node:net'
import type { EndpointSlice, Endpoints, Service } from '@continuo/workload'
import type { ApiReplica } from './api-replica.ts'

/** Where clients in pods look for the API. */
export const serviceKey = { namespace: 'default', name: 'kubernetes' } as const
const serviceLabel = 'kubernetes.io/service-name'

const metadata = (labels: Record<string, string>, name: string = serviceKey.name) => ({ namespace: serviceKey.namespace, name, labels })
const portOf = ({ scheme, port }: ApiReplica) => ({ name: scheme, port, protocol: 'TCP' as const })

/** The service: its address is given, its port is the replicas' own unless another is wanted. */
export function desiredService(first: ApiReplica, clusterIP: string, port: number | undefined): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata({ component: 'apiserver', provider: 'kubernetes' }),
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ports: [{ name: first.scheme, protocol: 'TCP', port: port ?? first.port, targetPort: first.port }],
    },
  }
}

/** Its endpoints: one subset for each port on which replicas listen. */
export const desiredEndpoints = (replicas: readonly ApiReplica[]): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: metadata({ 'endpointslice.kubernetes.io/skip-mirror': 'true' }),
  subsets: byPort(replicas).map((group) => ({ addresses: group.map(({ ip }) => ({ ip })), ports: [portOf(group[0] as ApiReplica)] })),
})

/** The same as slices, one for each port and family of addresses: the first is called as the service is. */
export const desiredSlices = (replicas: readonly ApiReplica[]): readonly EndpointSlice[] =>
  byPort(replicas).map((group, index) => {
    const [{ ip, port }] = group as [ApiReplica]
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: metadata(
        { [serviceLabel]: serviceKey.name },
        index === 0 ? serviceKey.name : `${serviceKey.name}-${isIPv6(ip) ? 'v6-' : ''}${port}`,
      ),
      addressType: isIPv6(ip) ? 'IPv6' : 'IPv4',
      endpoints: group.map((replica) => ({ addresses: [replica.ip], conditions: { ready: true, serving: true, terminating: false } })),
      ports: [portOf(group[0] as ApiReplica)],
    }
  })

/** Groups of replicas that one slice can hold, in the order of their first. */
function byPort(replicas: readonly ApiReplica[]): readonly (readonly ApiReplica[])[] {
  const groups = new Map<string, ApiReplica[]>()
  for (const replica of replicas) {
    const key = `${isIPv6(replica.ip)} ${replica.port}`
    groups.set(key, [...(groups.get(key) ?? []), replica])
  }
  return [...groups.values()]
}
