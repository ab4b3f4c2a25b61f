import type { DeepReadonly } from '@continuo/core'
import type { Container, PodSpec, SecurityContext } from '@continuo/workload'

export type Level = 'privileged' | 'baseline' | 'restricted'

/** A pod, or the template of one. */
export interface CheckedPod {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: DeepReadonly<PodSpec>
}

/** Why a check forbids a pod: in short for lists of pods, with the details for one. */
export interface Violation {
  readonly reason: string
  readonly detail: string
}

type Run = (pod: CheckedPod) => Violation | undefined

/** One rule of the Pod Security Standards. Pure. */
export interface Check {
  readonly id: string
  /** Restricted namespaces are held to the checks of both levels. */
  readonly level: Exclude<Level, 'privileged'>
  /** What applies from which minor version of Kubernetes 1 on, oldest first. */
  readonly revisions: readonly { readonly since: number; readonly run: Run }[]
  /** Checks of the baseline that say nothing more where this one applies. */
  readonly overrides?: readonly string[]
}

export type CheckedContainer = DeepReadonly<Container>
type Context = DeepReadonly<SecurityContext>

/** Every container, in the order in which Kubernetes names them. Ephemeral ones have the same fields as far as checks look. */
export const containersOf = ({ spec }: CheckedPod): readonly CheckedContainer[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...((spec.ephemeralContainers ?? []) as readonly CheckedContainer[]),
]

/** Names of the containers whose security context, as far as they have one, is as described. */
export const containersWhere = (pod: CheckedPod, test: (context: Context | undefined) => boolean): readonly string[] =>
  containersOf(pod)
    .filter(({ securityContext }) => test(securityContext))
    .map(({ name }) => name)

export const quoted = (texts: readonly string[]): string => texts.map((text) => `"${text}"`).join(', ')
export const plural = (one: string, many: string, count: number): string => (count === 1 ? one : many)
/** `container "a"`, `containers "a", "b"`. */
export const named = (containers: readonly string[]): string =>
  `${plural('container', 'containers', containers.length)} ${quoted(containers)}`
/** Each once, sorted. */
export const distinct = (texts: Iterable<string>): readonly string[] => [...new Set(texts)].sort()

/** `pod and container "a"`: who set something that is forbidden. Empty when nobody did. */
export const setters = (podSets: boolean, containers: readonly string[]): string =>
  [...(podSets ? ['pod'] : []), ...(containers.length > 0 ? [named(containers)] : [])].join(' and ')

/** From policy 1.25 on, what only Linux knows is not asked of pods that say they are for Windows. */
export const exceptWindows =
  (run: Run): Run =>
  (pod) =>
    pod.spec.os?.name === 'windows' ? undefined : run(pod)

/** From policy 1.35 on, the root of a pod's own user namespace is nobody outside of it (KEP-127). */
export const exceptUserNamespaces =
  (run: Run): Run =>
  (pod) =>
    pod.spec.hostUsers === false ? undefined : run(pod)
