import type { DeepReadonly } from '@continuo/core'
import type { Container, Pod, RuntimeContainer, RuntimeSandbox } from '@continuo/workload'

/** A pod as the agent's cache holds it. */
export type PodView = DeepReadonly<Pod>
export type ContainerView = DeepReadonly<Container>
export type ContainerKind = RuntimeContainer['kind']

/** A container of a pod with its role. Sidecars are init containers with `restartPolicy: Always` (KEP-753). */
export interface PodContainer {
  readonly spec: ContainerView
  readonly kind: ContainerKind
  readonly sidecar: boolean
}

/** All containers in the order in which they start. */
export function containersOf(pod: PodView): readonly PodContainer[] {
  return [
    ...(pod.spec?.initContainers ?? []).map((spec) => ({ spec, kind: 'init' as const, sidecar: spec.restartPolicy === 'Always' })),
    ...(pod.spec?.containers ?? []).map((spec) => ({ spec, kind: 'main' as const, sidecar: false })),
    ...(pod.spec?.ephemeralContainers ?? []).map((spec) => ({ spec: spec as ContainerView, kind: 'ephemeral' as const, sidecar: false })),
  ]
}

/** Attempts of one container that the runtime still knows, newest first. */
export function attemptsOf(sandbox: RuntimeSandbox | undefined, name: string): readonly RuntimeContainer[] {
  return (sandbox?.containers ?? []).filter((container) => container.name === name).sort((a, b) => b.attempt - a.attempt)
}

/** Why a container waits, as the shell found out when it tried to start it. */
export interface ContainerProblem {
  /** `ErrImagePull`, `ImagePullBackOff`, `CreateContainerConfigError`, `RunContainerError`, … */
  readonly reason: string
  readonly message: string
  /** Wall milliseconds before which it is not tried again. */
  readonly retryAt: number
}

/** What the probes of one container have found so far. */
export interface ProbeState {
  /** The startup probe has succeeded, or there is none. */
  readonly started: boolean
  /** The readiness probe succeeds, or there is none. */
  readonly ready: boolean
  /** Set once the liveness or startup probe has failed for good. */
  readonly failed?: { readonly probe: 'liveness' | 'startup'; readonly message: string; readonly gracePeriodSeconds?: number }
}

/** Everything that is known about one pod on this node at one moment. */
export interface PodObservation {
  readonly pod: PodView
  readonly sandbox?: RuntimeSandbox
  /** Wall milliseconds. */
  readonly now: number
  /** By container name: earliest moment of the next start after a crash. */
  readonly backoff: ReadonlyMap<string, number>
  readonly problems: ReadonlyMap<string, ContainerProblem>
  /** By container name, for the running attempt. */
  readonly probes: ReadonlyMap<string, ProbeState>
  /** Set when volumes or the sandbox cannot be made yet. */
  readonly blocked?: ContainerProblem
  readonly nodeIPs: readonly string[]
  /** Set when the pod shall end whatever its containers do. */
  readonly verdict?: PodVerdict
  /** Its deletion has stopped everything: nothing starts again. */
  readonly ended?: boolean
}

/** What the pod's end was decided to be, beside what its containers did: a deadline, a refusal by the node. */
export interface PodVerdict {
  readonly phase: 'Failed' | 'Succeeded'
  readonly reason: string
  readonly message: string
}

/** What a container without a probe looks like. */
export const noProbes: ProbeState = { started: true, ready: true }

export const hasEnded = (container: RuntimeContainer): boolean => container.state === 'exited' || container.state === 'unknown'

/** True when something of the pod still runs. */
export const isRunning = (sandbox: RuntimeSandbox | undefined): boolean =>
  sandbox?.containers.some((container) => container.state === 'running') ?? false

/** Whether the pod's policy lets a container that ended this way start again. */
export function willRestart(pod: PodView, container: PodContainer, ended: RuntimeContainer): boolean {
  const policy = pod.spec?.restartPolicy ?? 'Always'
  const well = ended.exitCode === 0
  if (container.kind === 'ephemeral') return false
  if (container.sidecar) return true
  if (container.kind === 'init') return !well && policy !== 'Never'
  return policy === 'Always' || (policy === 'OnFailure' && !well)
}
