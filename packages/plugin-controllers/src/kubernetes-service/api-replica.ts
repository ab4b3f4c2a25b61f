import { createHash } from 'node:crypto'
import { type DeepReadonly, formatMicroTime, type Lease, parseTime } from '@continuo/core'

/** Namespace of the leases by which replicas of the API say that they live. */
export const replicaNamespace = 'kube-system'
const identityLabel = 'apiserver.kubernetes.io/identity'
const identity = 'kube-apiserver'
/** Chooses them among all leases. */
export const replicaSelector = `${identityLabel}=${identity}`
const addressAnnotation = 'continuo.dev/api-address'
export const leaseSeconds = 30

/** Where one replica of the API is reached. */
export interface ApiReplica {
  readonly scheme: 'https' | 'http'
  readonly ip: string
  readonly port: number
}

const formatReplica = ({ scheme, ip, port }: ApiReplica): string => `${scheme}://${ip.includes(':') ? `[${ip}]` : ip}:${port}`

function parseReplica(text: string | undefined): ApiReplica | undefined {
  const [, scheme, four, six, port] = /^(https?):\/\/(?:([\d.]+)|\[([\da-f:]+)\]):(\d+)$/i.exec(text ?? '') ?? []
  const ip = four ?? six
  return ip === undefined ? undefined : { scheme: scheme as ApiReplica['scheme'], ip, port: Number(port) }
}

/** The lease of a replica, as it is now. One address is one lease, whichever process listens there. */
export function replicaLease(replica: ApiReplica, now: number): Lease {
  const address = formatReplica(replica)
  const id = createHash('sha256').update(address).digest('hex').slice(0, 12)
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: `apiserver-${id}`,
      namespace: replicaNamespace,
      labels: { [identityLabel]: identity },
      annotations: { [addressAnnotation]: address },
    },
    spec: { holderIdentity: `apiserver-${id}`, leaseDurationSeconds: leaseSeconds, renewTime: formatMicroTime(now) },
  }
}

/** Replicas whose leases hold, in a stable order, and when the next lease ends. Times are wall milliseconds. Pure. */
export function liveReplicas(
  leases: readonly DeepReadonly<Lease>[],
  now: number,
): { readonly replicas: readonly ApiReplica[]; readonly nextEnd: number | undefined } {
  const live = leases.flatMap(({ metadata, spec }) => {
    const replica = parseReplica(metadata.annotations?.[addressAnnotation])
    const end = parseTime(spec?.renewTime ?? '') + (spec?.leaseDurationSeconds ?? 0) * 1_000
    return replica === undefined || !(end > now) ? [] : [{ replica, end }]
  })
  const replicas = live.map(({ replica }) => replica).sort((a, b) => (formatReplica(a) < formatReplica(b) ? -1 : 1))
  return { replicas, nextEnd: live.length === 0 ? undefined : Math.min(...live.map(({ end }) => end)) }
}
