import { formatTime } from '@continuo/core'
import type { ContainerStatus, PodCondition, PodStatus, RuntimeContainer } from '@continuo/workload'
import {
  attemptsOf,
  containersOf,
  hasEnded,
  isRunning,
  noProbes,
  type PodContainer,
  type PodObservation,
  type PodView,
  willRestart,
} from './model.ts'
import { isFinished } from './plan.ts'

type StatusState = NonNullable<ContainerStatus['state']>

/** The status that the API shall show. Pure; keeps transition times of conditions that did not change. */
export function podStatus(seen: PodObservation): PodStatus {
  const before = seen.pod.status
  const containers = containersOf(seen.pod)
  const statuses = new Map(containers.map((container) => [container.spec.name, containerStatus(seen, container)]))
  const of = (kind: PodContainer['kind']) =>
    containers.filter((container) => container.kind === kind).map((container) => statuses.get(container.spec.name) as ContainerStatus)
  // A phase that is final tells that nothing runs any more: it waits until that is so.
  const over = isFinished(seen) && !isRunning(seen.sandbox)
  const verdict = over ? seen.verdict : undefined
  const final = over || before?.phase === 'Failed' || before?.phase === 'Succeeded'
  const phase = verdict?.phase ?? podPhase(seen, over, of('main'), of('init'))
  const ips = seen.pod.spec?.hostNetwork === true ? seen.nodeIPs : (seen.sandbox?.ips ?? before?.podIPs?.map((entry) => entry.ip) ?? [])
  return {
    phase,
    reason: verdict?.reason ?? (final ? before?.reason : undefined),
    message: verdict?.message ?? (final ? before?.message : undefined),
    startTime: before?.startTime ?? formatTime(seen.now),
    hostIP: seen.nodeIPs[0],
    hostIPs: seen.nodeIPs.map((ip) => ({ ip })),
    podIP: ips[0],
    podIPs: ips.length === 0 ? undefined : ips.map((ip) => ({ ip })),
    qosClass: before?.qosClass,
    observedGeneration: seen.pod.metadata.generation,
    conditions: conditions(seen, of('main'), of('init'), phase),
    containerStatuses: of('main'),
    initContainerStatuses: of('init').length === 0 ? undefined : of('init'),
    ephemeralContainerStatuses: of('ephemeral').length === 0 ? undefined : of('ephemeral'),
  }
}

function containerStatus(seen: PodObservation, container: PodContainer): ContainerStatus {
  const { name } = container.spec
  const [latest, previous] = attemptsOf(seen.sandbox, name)
  const before = statusOf(seen.pod, name)
  if (latest === undefined && before !== undefined && (isFinished(seen) || seen.pod.metadata.deletionTimestamp !== undefined))
    return lost(before, container.kind)
  const probes = seen.probes.get(name) ?? noProbes
  const running = latest?.state === 'running'
  const waiting = waitingReason(seen, container, latest)
  const state: StatusState =
    waiting !== undefined ? { waiting } : latest === undefined ? { waiting: { reason: notYet(seen) } } : stateOf(latest)
  const last = waiting !== undefined && latest !== undefined && hasEnded(latest) ? latest : previous
  const lastState =
    last !== undefined && hasEnded(last)
      ? stateOf(last)
      : latest === undefined
        ? before?.state?.terminated === undefined
          ? before?.lastState
          : before.state
        : undefined
  return {
    name,
    image: latest?.image ?? container.spec.image ?? '',
    imageID: latest?.imageId ?? before?.imageID ?? '',
    containerID: latest?.id ?? before?.containerID,
    restartCount: latest?.attempt ?? before?.restartCount ?? 0,
    ready:
      container.kind === 'init' && !container.sidecar
        ? latest?.state === 'exited' && latest.exitCode === 0
        : running && probes.started && probes.ready,
    started: running && probes.started,
    state,
    lastState: (lastState ?? {}) as StatusState,
  }
}

/** What the API shows of one container, whichever list it is in. */
export const statusOf = (pod: PodView, name: string): ContainerStatus | undefined =>
  [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.ephemeralContainerStatuses ?? []),
  ].find((status) => status.name === name) as ContainerStatus | undefined

/** The runtime does not know the container any more, and it will not come back: what is known of it stays. */
function lost(before: ContainerStatus, kind: PodContainer['kind']): ContainerStatus {
  if (before.state?.running === undefined)
    return { ...before, ready: kind === 'init' && before.state?.terminated?.exitCode === 0, started: false }
  return {
    ...before,
    ready: false,
    started: false,
    state: {
      terminated: {
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was deleted.  The container used to be Running',
        exitCode: 137,
        containerID: before.containerID,
        startedAt: before.state.running.startedAt,
      },
    },
  }
}

/** Set when the container shall start and does not yet, although it may have run before. */
function waitingReason(
  seen: PodObservation,
  container: PodContainer,
  latest: RuntimeContainer | undefined,
): { reason: string; message?: string } | undefined {
  const { name } = container.spec
  if (latest?.state === 'running' || isFinished(seen)) return undefined
  if (latest !== undefined && hasEnded(latest) && !willRestart(seen.pod, container, latest)) return undefined
  const problem = seen.problems.get(name)
  if (problem !== undefined) return { reason: problem.reason, message: problem.message }
  const until = seen.backoff.get(name)
  if (latest !== undefined && hasEnded(latest) && until !== undefined && until > seen.now) {
    const seconds = Math.max(1, Math.round((until - (latest.finishedAt ?? seen.now)) / 1_000))
    return {
      reason: 'CrashLoopBackOff',
      message: `back-off ${formatSeconds(seconds)} restarting failed container=${name} pod=${seen.pod.metadata.name}_${seen.pod.metadata.namespace}(${seen.pod.metadata.uid})`,
    }
  }
  return undefined
}

const formatSeconds = (seconds: number): string => (seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`)

const notYet = (seen: PodObservation): string =>
  (seen.pod.spec?.initContainers ?? []).length > 0 && !initialized(seen) ? 'PodInitializing' : 'ContainerCreating'

function stateOf(container: RuntimeContainer): StatusState {
  const at = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : formatTime(ms))
  if (container.state === 'running') return { running: { startedAt: at(container.startedAt) } }
  if (container.state === 'created') return { waiting: { reason: 'ContainerCreating' } }
  return {
    terminated: {
      containerID: container.id,
      exitCode: container.exitCode ?? 255,
      signal: container.signal,
      reason:
        container.state === 'unknown'
          ? 'ContainerStatusUnknown'
          : container.oomKilled === true
            ? 'OOMKilled'
            : container.exitCode === 0
              ? 'Completed'
              : 'Error',
      message: container.message,
      startedAt: at(container.startedAt),
      finishedAt: at(container.finishedAt),
    },
  } as { terminated: NonNullable<StatusState['terminated']> }
}

const initialized = (seen: PodObservation): boolean =>
  containersOf(seen.pod)
    .filter((container) => container.kind === 'init')
    .every((container) => {
      const latest = attemptsOf(seen.sandbox, container.spec.name)[0]
      if (container.sidecar) return latest?.state === 'running' && (seen.probes.get(container.spec.name) ?? noProbes).started
      return latest !== undefined && hasEnded(latest) && latest.exitCode === 0
    })

function podPhase(
  seen: PodObservation,
  over: boolean,
  main: readonly ContainerStatus[],
  init: readonly ContainerStatus[],
): NonNullable<PodStatus['phase']> {
  const before = seen.pod.status?.phase
  if (before === 'Succeeded' || before === 'Failed') return before
  // Deleted before it was complete: what never ran has neither succeeded nor failed.
  if (over && seen.ended === true && main.some((status) => status.state?.terminated === undefined)) return before ?? 'Pending'
  if (over) return main.some(failed) || init.some((status) => failed(status) && !isSidecar(seen, status.name)) ? 'Failed' : 'Succeeded'
  if (!initialized(seen) && before !== 'Running') return 'Pending'
  return main.some(
    (status) => status.state?.running !== undefined || status.state?.terminated !== undefined || status.lastState?.terminated !== undefined,
  )
    ? 'Running'
    : (before ?? 'Pending')
}

const failed = (status: ContainerStatus): boolean => status.state?.terminated !== undefined && status.state.terminated.exitCode !== 0

const isSidecar = (seen: PodObservation, name: string): boolean =>
  containersOf(seen.pod).some((container) => container.sidecar && container.spec.name === name)

function conditions(
  seen: PodObservation,
  main: readonly ContainerStatus[],
  init: readonly ContainerStatus[],
  phase: string,
): PodCondition[] {
  const done = phase === 'Succeeded'
  const over = done || phase === 'Failed'
  const unready = main.filter((status) => !status.ready).map((status) => status.name)
  const sidecars = init.filter((status) => isSidecar(seen, status.name))
  const allReady = unready.length === 0 && sidecars.every((status) => status.ready)
  const gates = (seen.pod.spec?.readinessGates ?? []).filter(
    (gate) => !seen.pod.status?.conditions?.some((condition) => condition.type === gate.conditionType && condition.status === 'True'),
  )
  const because = (ok: boolean, reason: string, message: string) =>
    ok ? {} : over ? { reason: done ? 'PodCompleted' : 'PodFailed' } : { reason, message }
  const containersReady = allReady && !over
  const notReady = because(containersReady, 'ContainersNotReady', `containers with unready status: [${unready.join(' ')}]`)
  const ready = containersReady && gates.length === 0
  const isInitialized = initialized(seen) || done
  const wanted: (Omit<PodCondition, 'lastTransitionTime'> & { type: string })[] = [
    {
      type: 'PodReadyToStartContainers',
      status: seen.sandbox?.state === 'ready' && !over ? 'True' : 'False',
    },
    {
      type: 'Initialized',
      status: isInitialized ? 'True' : 'False',
      ...because(
        isInitialized,
        'ContainersNotInitialized',
        `containers with incomplete status: [${init
          .filter((status) => !status.ready)
          .map((status) => status.name)
          .join(' ')}]`,
      ),
    },
    {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      ...(containersReady && gates.length > 0
        ? {
            reason: 'ReadinessGatesNotReady',
            message: gates.map((gate) => `corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`).join(' '),
          }
        : notReady),
    },
    { type: 'ContainersReady', status: containersReady ? 'True' : 'False', ...notReady },
    { type: 'PodScheduled', status: 'True' },
  ]
  return wanted.map((condition) => {
    const before = seen.pod.status?.conditions?.find((other) => other.type === condition.type)
    return {
      ...condition,
      observedGeneration: seen.pod.metadata.generation,
      lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : formatTime(seen.now),
    } as PodCondition
  })
}
