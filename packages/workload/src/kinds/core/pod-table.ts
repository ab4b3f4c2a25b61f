import type { DeepReadonly, TableDefinition } from '@continuo/core'
import type { ContainerStatus, Pod } from '../../generated/types/core-v1.ts'
import { age, ageColumn, nameColumn, orNone, table, text, wide } from '../../table/columns.ts'

type ReadonlyPod = DeepReadonly<Pod>
type ReadonlyStatus = DeepReadonly<ContainerStatus>

/** What READY, STATUS and RESTARTS show. */
export interface PodSummary {
  readonly ready: number
  readonly total: number
  readonly status: string
  readonly restarts: number
  /** When the last container ended that was started again. */
  readonly lastRestart: string | undefined
}

/** Pods as `kubectl get pods` shows them (`pkg/printers/internalversion`, printPod). */
export const podTable: TableDefinition = table<Pod>(
  nameColumn(),
  text('Ready', (pod) => {
    const { ready, total } = summarizePod(pod)
    return `${ready}/${total}`
  }),
  text('Status', (pod) => summarizePod(pod).status),
  text('Restarts', (pod, now) => {
    const { restarts, lastRestart } = summarizePod(pod)
    return restarts > 0 && lastRestart !== undefined ? `${restarts} (${age(lastRestart, now)} ago)` : String(restarts)
  }),
  ageColumn(),
  wide('IP', (pod) => orNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP)),
  wide('Node', (pod) => orNone(pod.spec?.nodeName)),
  wide('Nominated Node', (pod) => orNone(pod.status?.nominatedNodeName)),
  wide('Readiness Gates', (pod) => {
    const gates = pod.spec?.readinessGates ?? []
    const open = gates.filter((gate) =>
      pod.status?.conditions?.some((condition) => condition.type === gate.conditionType && condition.status === 'True'),
    )
    return gates.length === 0 ? '<none>' : `${open.length}/${gates.length}`
  }),
)

/** One word on how a pod is doing, and its counts: what people read first. */
export function summarizePod(pod: ReadonlyPod): PodSummary {
  const conditions = pod.status?.conditions ?? []
  const sidecars = new Set(
    (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always').map((container) => container.name),
  )
  const gated = conditions.some((condition) => condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated')
  const initial = gated ? 'SchedulingGated' : pod.status?.reason || (pod.status?.phase ?? '')
  const init = summarizeInit(pod, sidecars)
  const total = (pod.spec?.containers?.length ?? 0) + sidecars.size
  const initialized = conditions.some((condition) => condition.type === 'Initialized' && condition.status === 'True')
  if (init.waiting !== undefined && !initialized)
    return finish(pod, { ready: init.ready, total, status: init.waiting, restarts: init.restarts, lastRestart: init.lastRestart })

  const main = pod.status?.containerStatuses ?? []
  let status = init.waiting ?? initial
  for (const container of main.toReversed()) status = reasonOf(container) ?? status
  const running = main.filter(
    (container) => reasonOf(container) === undefined && container.ready && container.state?.running !== undefined,
  ).length
  if (status === 'Completed' && running > 0)
    status = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True') ? 'Running' : 'NotReady'
  return finish(pod, {
    ready: init.ready + running,
    total,
    status,
    restarts: init.sidecarRestarts + sum(main),
    lastRestart: latest([...main, ...(pod.status?.initContainerStatuses ?? []).filter((container) => sidecars.has(container.name))]),
  })
}

function finish(pod: ReadonlyPod, summary: PodSummary): PodSummary {
  if (pod.metadata.deletionTimestamp === undefined) return summary
  if (pod.status?.reason === 'NodeLost') return { ...summary, status: 'Unknown' }
  const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  return ended ? summary : { ...summary, status: 'Terminating' }
}

/** How far initialization is. `waiting` is set while it is not over. */
function summarizeInit(
  pod: ReadonlyPod,
  sidecars: ReadonlySet<string>,
): { ready: number; restarts: number; sidecarRestarts: number; lastRestart: string | undefined; waiting?: string } {
  const statuses = pod.status?.initContainerStatuses ?? []
  let ready = 0
  for (const [index, container] of statuses.entries()) {
    const { terminated, waiting } = container.state ?? {}
    if (terminated?.exitCode === 0) continue
    const sidecar = sidecars.has(container.name)
    if (sidecar && container.started === true) {
      if (container.ready) ready++
      continue
    }
    const reached = statuses.slice(0, index + 1)
    const counts = {
      ready,
      restarts: sum(reached),
      sidecarRestarts: sum(reached.filter((status) => sidecars.has(status.name))),
      lastRestart: latest(reached),
    }
    if (terminated !== undefined) return { ...counts, waiting: `Init:${terminated.reason || endOf(terminated)}` }
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return { ...counts, waiting: `Init:${waiting.reason}` }
    return { ...counts, waiting: `Init:${index}/${pod.spec?.initContainers?.length ?? 0}` }
  }
  return {
    ready,
    restarts: sum(statuses),
    sidecarRestarts: sum(statuses.filter((status) => sidecars.has(status.name))),
    lastRestart: latest(statuses),
  }
}

/** Why a container does not run; undefined when it does or says nothing. */
function reasonOf(container: ReadonlyStatus): string | undefined {
  const { waiting, terminated } = container.state ?? {}
  if (waiting?.reason) return waiting.reason
  return terminated === undefined ? undefined : terminated.reason || endOf(terminated)
}

const endOf = (terminated: { readonly exitCode: number; readonly signal?: number }): string =>
  terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`

const sum = (statuses: readonly ReadonlyStatus[]): number => statuses.reduce((total, status) => total + status.restartCount, 0)

const latest = (statuses: readonly ReadonlyStatus[]): string | undefined =>
  statuses.reduce<string | undefined>((last, { lastState }) => {
    const at = lastState?.terminated?.finishedAt
    return at !== undefined && (last === undefined || Date.parse(at) > Date.parse(last)) ? at : last
  }, undefined)
