import type { Decision, UnstructuredObject } from '@continuo/core'

/** What is known of one object, from the API and from the decision log. */
export interface Evidence {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** Undefined when the API has it no longer. */
  readonly object?: UnstructuredObject
  /** About this object, oldest first. */
  readonly decisions: readonly Decision[]
  /** Every decision that one of them names as its cause, directly or not, by id. */
  readonly causes: ReadonlyMap<string, Decision>
  /** Newest last. */
  readonly events: readonly {
    readonly type: string
    readonly reason: string
    readonly message: string
    readonly count: number
    readonly last: string
  }[]
  /** Objects that stand in its place: same controller, younger. */
  readonly successors: readonly string[]
  /** Wall milliseconds. */
  readonly now: number
}

interface Waiting {
  readonly reason?: string
  readonly message?: string
}

/** Lines that explain why the object is as it is. Pure. The first line is the answer; what follows is how we know. */
export function explain(evidence: Evidence): readonly string[] {
  const { object } = evidence
  const lines =
    object === undefined
      ? explainGone(evidence)
      : evidence.kind === 'Pod'
        ? explainPod(evidence, object)
        : explainConditions(evidence, object)
  return [...lines, ...timeline(evidence)]
}

const title = (evidence: Evidence): string =>
  `${evidence.kind} ${evidence.namespace === '' ? '' : `${evidence.namespace}/`}${evidence.name}`

function explainGone(evidence: Evidence): string[] {
  const last = evidence.decisions.at(-1)
  if (last === undefined)
    return [
      `${title(evidence)} does not exist, and nothing is known of one: the decision log begins with the process and keeps the newest 10,000 decisions`,
    ]
  return [`${title(evidence)} is gone: ${last.message}`, ...causesOf(evidence, last), ...successors(evidence)]
}

function explainPod(evidence: Evidence, pod: UnstructuredObject): string[] {
  const status = (pod.status ?? {}) as {
    phase?: string
    reason?: string
    message?: string
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
    containerStatuses?: ContainerState[]
    initContainerStatuses?: ContainerState[]
  }
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
  const leaving = pod.metadata.deletionTimestamp
  if (leaving !== undefined) {
    const last = evidence.decisions.findLast((decision) => /Delet|Evict|Scal|Replac/.test(decision.code)) ?? evidence.decisions.at(-1)
    return [
      `${title(evidence)} is being deleted (since ${leaving})${last === undefined ? '' : `: ${last.message}`}`,
      ...(last === undefined ? [] : causesOf(evidence, last)),
      ...successors(evidence),
    ]
  }
  const scheduled = status.conditions?.find((condition) => condition.type === 'PodScheduled')
  if (scheduled?.status === 'False')
    return [
      `${title(evidence)} is Pending: ${scheduled.message ?? scheduled.reason ?? 'it has not been scheduled'}`,
      ...schedulingDetails(evidence),
    ]
  if (scheduled === undefined && (pod.spec as { nodeName?: string } | undefined)?.nodeName === undefined)
    return [`${title(evidence)} is Pending: no scheduler has looked at it yet; check that one with its schedulerName runs`]
  const problems = containers.flatMap(containerProblem)
  const headline = `${title(evidence)} is ${status.phase ?? 'Pending'}`
  if (status.reason !== undefined) return [`${headline}: ${status.reason}: ${status.message ?? ''}`, ...problems]
  return problems.length === 0
    ? [`${headline}, nothing is wrong with its containers`]
    : [`${headline}: ${problems[0]}`, ...problems.slice(1).map((problem) => `  and ${problem}`)]
}

interface ContainerState {
  readonly name: string
  readonly ready?: boolean
  readonly restartCount?: number
  readonly state?: {
    readonly waiting?: Waiting
    readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string }
  }
  readonly lastState?: { readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly finishedAt?: string } }
}

function containerProblem(container: ContainerState): string[] {
  const waiting = container.state?.waiting
  const last = container.lastState?.terminated
  const lastEnd = last === undefined ? '' : `; its last run ended with exit code ${last.exitCode} (${last.reason ?? 'Error'})`
  if (waiting?.reason !== undefined && waiting.reason !== 'PodInitializing')
    return [`container ${container.name} waits: ${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}${lastEnd}`]
  const ended = container.state?.terminated
  if (ended !== undefined && ended.exitCode !== 0)
    return [
      `container ${container.name} ended with exit code ${ended.exitCode} (${ended.reason ?? 'Error'})${ended.message === undefined ? '' : `: ${ended.message}`}`,
    ]
  if (container.ready === false && container.state?.terminated === undefined && waiting === undefined)
    return [`container ${container.name} runs and is not ready${lastEnd}`]
  return (container.restartCount ?? 0) > 0 && lastEnd !== ''
    ? [`container ${container.name} was restarted ${container.restartCount} times${lastEnd}`]
    : []
}

function schedulingDetails(evidence: Evidence): string[] {
  const last = evidence.decisions.findLast((decision) => decision.code === 'FailedScheduling')
  const reasons = last?.details?.reasons as Readonly<Record<string, number>> | undefined
  return reasons === undefined
    ? []
    : Object.entries(reasons).map(([reason, nodes]) => `  ${nodes} ${nodes === 1 ? 'node' : 'nodes'}: ${reason}`)
}

function explainConditions(evidence: Evidence, object: UnstructuredObject): string[] {
  const conditions = (
    (object.status as { conditions?: { type: string; status: string; reason?: string; message?: string }[] } | undefined)?.conditions ?? []
  ).map(
    (condition) =>
      `  ${condition.type} is ${condition.status}${condition.reason === undefined ? '' : `: ${condition.reason}`}${condition.message === undefined || condition.message === '' ? '' : `: ${condition.message}`}`,
  )
  return [
    `${title(evidence)} ${object.metadata.deletionTimestamp === undefined ? 'exists' : `is being deleted, held by ${(object.metadata.finalizers ?? ['its grace period']).join(', ')}`}`,
    ...conditions,
  ]
}

const successors = (evidence: Evidence): string[] =>
  evidence.successors.length === 0 ? [] : [`  in its place: ${evidence.successors.join(', ')}`]

/** The chain of causes, nearest first. Bounded, should it ever run in a circle. */
function causesOf(evidence: Evidence, decision: Decision): string[] {
  const lines: string[] = []
  let cause = decision.cause === undefined ? undefined : evidence.causes.get(decision.cause)
  while (cause !== undefined && lines.length < 16) {
    lines.push(`  because ${cause.actor} decided on ${cause.object.kind} ${cause.object.name}: ${cause.message}`)
    cause = cause.cause === undefined ? undefined : evidence.causes.get(cause.cause)
  }
  return lines
}

function timeline(evidence: Evidence): string[] {
  const decided = evidence.decisions.map((decision) => ({
    at: decision.time,
    text: `${decision.actor}: ${decision.code}: ${decision.message}`,
  }))
  const happened = evidence.events.map((event) => ({
    at: Date.parse(event.last),
    text: `${event.reason}${event.count > 1 ? ` (${event.count} times)` : ''}: ${event.message}`,
  }))
  const lines = [...decided, ...happened].sort((a, b) => a.at - b.at).slice(-20)
  return lines.length === 0
    ? []
    : ['', 'What happened, newest last:', ...lines.map((line) => `  ${age(evidence.now - line.at).padStart(6)} ago  ${line.text}`)]
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds}s`
  return seconds < 7_200 ? `${Math.floor(seconds / 60)}m` : `${Math.floor(seconds / 3_600)}h`
}
