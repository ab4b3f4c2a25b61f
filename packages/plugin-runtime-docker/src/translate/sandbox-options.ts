import type { SandboxSpec } from '@continuo/workload'
import type { ContainerCreateOptions } from '../daemon/daemon.ts'
import { hostPortsOf, sandboxLabels, sandboxName } from '../labels.ts'

export interface SandboxSurroundings {
  readonly owner: string
  readonly pauseImage: string
  readonly cgroupParent: string
  /** Docker's network, or `none` when a pod network gives the addresses. */
  readonly network: string
}

/** Nobody in particular. */
const nobody = '65535:65535'

/** The container that holds a pod's namespaces. Pure. */
export function sandboxOptions(spec: SandboxSpec, around: SandboxSurroundings): ContainerCreateOptions & { readonly name: string } {
  const bound = spec.hostNetwork || around.network === 'none' ? [] : hostPortsOf(spec)
  const port = (containerPort: number, protocol: string): string => `${containerPort}/${protocol.toLowerCase()}`
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { containerPort, protocol, hostPort, hostIP } of bound) {
    const key = port(containerPort, protocol)
    bindings[key] = [...(bindings[key] ?? []), { HostIp: hostIP ?? '', HostPort: String(hostPort) }]
  }
  return {
    name: sandboxName(around.owner, spec.uid),
    Image: around.pauseImage,
    // On the host's network a pod has the host's name, as it has its addresses.
    ...(spec.hostNetwork ? {} : { Hostname: spec.hostname }),
    Labels: { ...sandboxLabels(around.owner, spec) },
    User: nobody,
    ExposedPorts: Object.fromEntries(Object.keys(bindings).map((key) => [key, {}])),
    HostConfig: {
      NetworkMode: spec.hostNetwork ? 'host' : around.network,
      IpcMode: spec.hostIpc ? 'host' : 'shareable',
      ...(spec.hostPid ? { PidMode: 'host' } : {}),
      ...(spec.hostNetwork ? { UTSMode: 'host' } : {}),
      ...(spec.dns === undefined
        ? {}
        : { Dns: [...spec.dns.nameservers], DnsSearch: [...spec.dns.searches], DnsOptions: [...spec.dns.options] }),
      ExtraHosts: spec.hostAliases.flatMap(({ ip, hostnames }) => hostnames.map((name) => `${name}:${ip}`)),
      Sysctls: { ...spec.sysctls },
      PortBindings: bindings,
      CgroupParent: around.cgroupParent,
      CpuShares: 2,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      LogConfig: { Type: 'none', Config: {} },
    },
  }
}
