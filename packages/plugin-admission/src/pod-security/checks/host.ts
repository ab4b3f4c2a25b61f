import type { DeepReadonly } from '@continuo/core'
import type { LifecycleHandler, Probe } from '@continuo/workload'
import { type Check, type CheckedContainer, containersOf, containersWhere, distinct, named, plural, quoted, setters } from './check.ts'

export const hostNamespaces: Check = {
  id: 'hostNamespaces',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      run({ spec }) {
        const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => spec[name] === true)
        return shared.length === 0 ? undefined : { reason: 'host namespaces', detail: shared.map((name) => `${name}=true`).join(', ') }
      },
    },
  ],
}

const hostPortsOf = ({ ports }: CheckedContainer): readonly string[] =>
  (ports ?? []).filter(({ hostPort }) => (hostPort ?? 0) !== 0).map(({ hostPort }) => String(hostPort))

export const hostPorts: Check = {
  id: 'hostPorts',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      run(pod) {
        const bad = containersOf(pod).filter((container) => hostPortsOf(container).length > 0)
        if (bad.length === 0) return undefined
        const ports = distinct(bad.flatMap(hostPortsOf))
        return {
          reason: 'hostPort',
          detail: `${named(bad.map(({ name }) => name))} ${plural('uses', 'use', bad.length)} ${plural('hostPort', 'hostPorts', ports.length)} ${ports.join(', ')}`,
        }
      },
    },
  ],
}

type Handler = DeepReadonly<Probe> | DeepReadonly<LifecycleHandler> | undefined

const hostsOf = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: CheckedContainer): readonly string[] =>
  [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop]
    .flatMap((handler: Handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
    .filter((host) => host !== undefined && host !== '') as string[]

export const hostProbesAndHostLifecycle: Check = {
  id: 'hostProbesAndHostLifecycle',
  level: 'baseline',
  revisions: [
    {
      since: 34,
      run(pod) {
        const bad = containersOf(pod).filter((container) => hostsOf(container).length > 0)
        if (bad.length === 0) return undefined
        const hosts = distinct(bad.flatMap(hostsOf))
        return {
          reason: 'probe or lifecycle host',
          detail: `${named(distinct(bad.map(({ name }) => name)))} ${plural('uses', 'use', bad.length)} ${plural('probe or lifecycle host', 'probe or lifecycle hosts', hosts.length)} ${quoted(hosts)}`,
        }
      },
    },
  ],
}

export const windowsHostProcess: Check = {
  id: 'windowsHostProcess',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      run(pod) {
        const bad = setters(
          pod.spec.securityContext?.windowsOptions?.hostProcess === true,
          containersWhere(pod, (context) => context?.windowsOptions?.hostProcess === true),
        )
        return bad === ''
          ? undefined
          : { reason: 'hostProcess', detail: `${bad} must not set securityContext.windowsOptions.hostProcess=true` }
      },
    },
  ],
}
