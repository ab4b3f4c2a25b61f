import type { EndpointSlice, Service } from '@continuo/workload'
import type { UpstreamAddress } from '../forward/upstream.ts'

export const kubeDnsKey = { namespace: 'kube-system', name: 'kube-dns' } as const

/** By these labels clients and dashboards find the name servers of a cluster. */
const labels = {
  'k8s-app': 'kube-dns',
  'kubernetes.io/cluster-service': 'true',
  'kubernetes.io/name': 'CoreDNS',
}

export interface KubeDnsWanted {
  readonly clusterIP: string
  readonly port: number
  readonly servers: readonly UpstreamAddress[]
}

/** The service and its slices: one for each family and port of the servers. Pure. */
export function kubeDnsObjects({ clusterIP, port, servers }: KubeDnsWanted): {
  readonly service: Service
  readonly slices: readonly EndpointSlice[]
} {
  const groups = new Map<string, UpstreamAddress[]>()
  for (const server of servers) {
    const key = `${server.host.includes(':') ? 'ipv6' : 'ipv4'}-${server.port}`
    groups.set(key, [...(groups.get(key) ?? []), server])
  }
  return {
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...kubeDnsKey, labels },
      spec: {
        type: 'ClusterIP',
        clusterIP,
        clusterIPs: [clusterIP],
        ports: [
          { name: 'dns', protocol: 'UDP', port, targetPort: servers[0]?.port ?? port },
          { name: 'dns-tcp', protocol: 'TCP', port, targetPort: servers[0]?.port ?? port },
        ],
      },
    },
    slices: [...groups].map(([key, members]) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        namespace: kubeDnsKey.namespace,
        name: `${kubeDnsKey.name}-${key}`,
        labels: { 'kubernetes.io/service-name': kubeDnsKey.name, 'endpointslice.kubernetes.io/managed-by': 'dns.continuo.dev' },
      },
      addressType: key.startsWith('ipv6') ? 'IPv6' : 'IPv4',
      endpoints: members.map(({ host }) => ({ addresses: [host], conditions: { ready: true, serving: true, terminating: false } })),
      ports: (['UDP', 'TCP'] as const).map((protocol) => ({
        name: protocol === 'UDP' ? 'dns' : 'dns-tcp',
        protocol,
        port: members[0]?.port ?? port,
      })),
    })),
  }
}
