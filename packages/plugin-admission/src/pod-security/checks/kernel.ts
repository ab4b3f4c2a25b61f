import {
  type Check,
  type CheckedPod,
  containersOf,
  containersWhere,
  distinct,
  exceptUserNamespaces,
  named,
  quoted,
  type Violation,
} from './check.ts'

const oldest = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
]
const since27 = [...oldest, 'net.ipv4.ip_local_reserved_ports']
const since29 = [
  ...since27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
]
const since32 = [...since29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']

const othersThan =
  (safe: readonly string[]) =>
  ({ spec }: CheckedPod): Violation | undefined => {
    const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safe.includes(name))
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
  }

export const sysctls: Check = {
  id: 'sysctls',
  level: 'baseline',
  revisions: [
    { since: 0, run: othersThan(oldest) },
    { since: 27, run: othersThan(since27) },
    { since: 29, run: othersThan(since29) },
    { since: 32, run: othersThan(since32) },
  ],
}

function unmasked(pod: CheckedPod): Violation | undefined {
  const isBad = (mount: string | undefined): boolean => mount !== undefined && mount !== 'Default'
  const bad = containersWhere(pod, (context) => isBad(context?.procMount))
  if (bad.length === 0) return undefined
  const mounts = distinct(
    containersOf(pod)
      .flatMap(({ securityContext }) => securityContext?.procMount ?? [])
      .filter(isBad),
  )
  return { reason: 'procMount', detail: `${named(bad)} must not set securityContext.procMount to ${quoted(mounts)}` }
}

export const procMount: Check = {
  id: 'procMount',
  level: 'baseline',
  revisions: [
    { since: 0, run: unmasked },
    { since: 35, run: exceptUserNamespaces(unmasked) },
  ],
}

export const procMountRestricted: Check = {
  id: 'procMount_restricted',
  level: 'restricted',
  overrides: ['procMount'],
  revisions: [{ since: 35, run: unmasked }],
}
