import { createHash } from 'node:crypto'
import type { ContainerSpec, HostPort, RuntimeContainer, SandboxIdentity, SandboxSpec } from '@continuo/workload'

/** Whose a container is: other clusters on the same daemon have other owners and are never touched. */
export const ownerLabel = 'continuo.dev/owner'
export const roleLabel = 'continuo.dev/role'
/** The names that tools for containers of Kubernetes look for. */
export const uidLabel = 'io.kubernetes.pod.uid'
export const namespaceLabel = 'io.kubernetes.pod.namespace'
export const podLabel = 'io.kubernetes.pod.name'
export const containerLabel = 'io.kubernetes.container.name'
const attemptLabel = 'continuo.dev/attempt'
const kindLabel = 'continuo.dev/kind'
const imageLabel = 'continuo.dev/image'
const hashLabel = 'continuo.dev/hash'
const ttyLabel = 'continuo.dev/tty'
const sharesProcessesLabel = 'continuo.dev/shares-processes'
const hostPortsLabel = 'continuo.dev/host-ports'

export type Labels = Readonly<Record<string, string>>

/** Everything about a container that must be known again without us. */
export type ContainerIdentity = Pick<RuntimeContainer, 'name' | 'attempt' | 'kind' | 'image' | 'hash'> & { readonly tty: boolean }

export const sandboxLabels = (owner: string, spec: SandboxSpec): Labels => ({
  [ownerLabel]: owner,
  [roleLabel]: 'sandbox',
  [uidLabel]: spec.uid,
  [namespaceLabel]: spec.namespace,
  [podLabel]: spec.name,
  [sharesProcessesLabel]: String(spec.shareProcessNamespace),
  [hostPortsLabel]: JSON.stringify(hostPortsOf(spec)),
})

/** The ports of the node that lead to the pod. */
export const hostPortsOf = ({ ports }: SandboxSpec): readonly HostPort[] =>
  ports.flatMap(({ containerPort, hostPort = 0, hostIP, protocol }) =>
    hostPort === 0 ? [] : [{ containerPort, hostPort, protocol, ...(hostIP === undefined ? {} : { hostIP }) }],
  )

export const readHostPorts = (labels: Labels): readonly HostPort[] => JSON.parse(labels[hostPortsLabel] ?? '[]') as HostPort[]

/** The containers of the sandbox see each other's processes. */
export const sharesProcesses = (labels: Labels): boolean => labels[sharesProcessesLabel] === 'true'

export const containerLabels = (owner: string, sandbox: SandboxIdentity, spec: ContainerSpec): Labels => ({
  [ownerLabel]: owner,
  [roleLabel]: 'container',
  [uidLabel]: sandbox.uid,
  [namespaceLabel]: sandbox.namespace,
  [podLabel]: sandbox.name,
  [containerLabel]: spec.name,
  [attemptLabel]: String(spec.attempt),
  [kindLabel]: spec.kind,
  [imageLabel]: spec.image,
  [hashLabel]: spec.hash,
  [ttyLabel]: String(spec.tty),
})

export const readSandbox = (labels: Labels): SandboxIdentity => ({
  uid: labels[uidLabel] ?? '',
  namespace: labels[namespaceLabel] ?? '',
  name: labels[podLabel] ?? '',
})

export const readContainer = (labels: Labels): ContainerIdentity => ({
  name: labels[containerLabel] ?? '',
  attempt: Number(labels[attemptLabel] ?? 0),
  kind: (labels[kindLabel] ?? 'main') as ContainerIdentity['kind'],
  image: labels[imageLabel] ?? '',
  hash: labels[hashLabel] ?? '',
  tty: labels[ttyLabel] === 'true',
})

const prefix = (owner: string): string => `continuo_${createHash('sha256').update(owner).digest('hex').slice(0, 8)}`

/** The daemon allows one container of a name: what is made twice at once is made once. */
export const sandboxName = (owner: string, uid: string): string => `${prefix(owner)}_${uid}`

export const containerName = (owner: string, uid: string, name: string, attempt: number): string =>
  `${prefix(owner)}_${uid}_${name}_${attempt}`
