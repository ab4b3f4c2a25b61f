import {
  createEventRecorder,
  type DeepReadonly,
  definePlugin,
  formatKey,
  type Hook,
  keyOf,
  type ObjectClient,
  type PluginContext,
} from '@continuo/core'
import { Node, Pod, SchedulerFilter, SchedulerScore, SchedulerUnschedulable, type UnschedulableAttempt } from '@continuo/workload'
import { attemptPlacement, type Outcome, tapBuiltIns } from './attempt.ts'
import { bindPod, isSettled, nameOf } from './bind.ts'
import { type SchedulerConfig, schedulerConfig, weightsFor } from './config.ts'
import type { BuiltInAttempt } from './filters/built-in.ts'
import { followCluster } from './follow-cluster.ts'
import { Bell, Gate } from './gate.ts'
import { reasonCounts } from './placement/explain.ts'
import type { SearchPosition } from './placement/place.ts'
import { type QueuedPod, SchedulingQueue } from './queue/scheduling-queue.ts'
import { reportFailure } from './report.ts'
import { ClusterCache } from './snapshot/cluster-cache.ts'

type Context = PluginContext<SchedulerConfig>
type Lead = { readonly client: ObjectClient; readonly signal: AbortSignal }

const longestRunMs = 5
const wakeEveryMs = 1000

/** Gives pods their nodes. Runs on the leader; owns the hooks `scheduler/*`, which its own rules tap like any other plugin's. */
export const scheduler = definePlugin({
  name: 'scheduler',
  api: '^1',
  config: schedulerConfig,
  taps: [SchedulerFilter, SchedulerScore],
  permissions: [
    { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['pods/binding'], verbs: ['create'] },
    { apiGroups: [''], resources: ['pods/status'], verbs: ['patch', 'update'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
  setup(ctx) {
    const bell = new Bell()
    const cache = new ClusterCache()
    const queue = new SchedulingQueue()
    const mine = (pod: DeepReadonly<Pod>): boolean => weightsFor(ctx.config, pod.spec?.schedulerName) !== undefined
    followCluster({
      nodes: ctx.informer(Node),
      pods: ctx.informer(Pod),
      cache,
      queue,
      mine,
      now: () => ctx.clock.now(),
      changed: () => bell.ring(),
    })
    tapBuiltIns((hook, tap) => ctx.tap(hook, tap, { stage: 'pre' }))
    const loop = new SchedulingLoop(ctx, cache, queue, bell)
    ctx.whileLeading('scheduler', (lead) => loop.run(lead))
    ctx.onStop(() => loop.close())
  },
})

class SchedulingLoop {
  readonly #ctx: Context
  readonly #cache: ClusterCache
  readonly #queue: SchedulingQueue
  readonly #bell: Bell
  readonly #gate: Gate
  readonly #position: SearchPosition = { start: 0 }
  readonly #events
  readonly #attempts

  constructor(ctx: Context, cache: ClusterCache, queue: SchedulingQueue, bell: Bell) {
    this.#ctx = ctx
    this.#cache = cache
    this.#queue = queue
    this.#bell = bell
    this.#gate = new Gate(ctx.config.parallelBinds)
    this.#events = createEventRecorder({
      client: ctx.leaderClient,
      clock: ctx.clock,
      log: ctx.log,
      component: ctx.config.schedulerName,
      signal: ctx.signal,
    })
    this.#attempts = ctx.metrics.counter('scheduler_schedule_attempts_total', 'Attempts to schedule pods, by result.', ['result'])
  }

  async run(lead: Lead): Promise<void> {
    const { clock } = this.#ctx
    let yieldedAt = clock.monotonic()
    let wokeAt = Number.NEGATIVE_INFINITY
    let due: number | undefined
    while (!lead.signal.aborted) {
      if (clock.monotonic() - wokeAt >= wakeEveryMs) {
        wokeAt = clock.monotonic()
        due = this.#queue.wake(clock.now())
      }
      const queued = this.#queue.pop()
      if (queued === undefined) {
        due = this.#queue.wake(clock.now())
        if (this.#queue.counts().active === 0) await this.#bell.wait(lead.signal, (ms, callback) => clock.after(ms, callback), due)
        continue
      }
      await this.#schedule(queued, lead)
      if (clock.monotonic() - yieldedAt >= longestRunMs) {
        await clock.yield()
        yieldedAt = clock.monotonic()
      }
    }
  }

  close(): Promise<void> {
    return this.#events.close()
  }

  async #schedule(queued: QueuedPod, lead: Lead): Promise<void> {
    const { ctx, pod } = { ctx: this.#ctx, pod: queued.pod }
    const weights = weightsFor(ctx.config, pod.spec?.schedulerName)
    if (weights === undefined) return this.#queue.done(queued.key, pod.metadata.uid)
    try {
      const outcome = await attemptPlacement({
        pod,
        weights,
        snapshot: this.#cache.snapshot(),
        position: this.#position,
        percentage: ctx.config.percentageOfNodesToScore || undefined,
        random: () => ctx.random.next(),
        call: (hook, argument) => ctx.call(hook, argument),
      })
      if (outcome.type === 'placed') await this.#bind(outcome, queued, lead)
      else await this.#explain(outcome, queued, lead)
    } catch (error) {
      await this.#failed(pod, queued, lead, error)
    }
  }

  async #bind({ nodeName, attempt, score }: Extract<Outcome, { type: 'placed' }>, queued: QueuedPod, lead: Lead): Promise<void> {
    const { pod } = attempt
    this.#cache.assume(pod, nodeName)
    await this.#gate.enter(async () => {
      const call = this.#callUnlessIdle
      try {
        const cause = this.#decide(attempt, 'Scheduled', `assigned to ${nodeName}`, { node: nodeName, score })
        await bindPod({ attempt, nodeName, client: lead.client.with({ cause }), call, signal: lead.signal })
        this.#attempts.inc({ result: 'scheduled' })
        this.#queue.done(queued.key, pod.metadata.uid)
        this.#events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${nameOf(attempt)} to ${nodeName}`)
      } catch (error) {
        this.#cache.forget(pod)
        this.#queue.happened({ type: 'pod-freed', pod }, this.#ctx.clock.now())
        if (isSettled(error)) this.#queue.done(queued.key, pod.metadata.uid)
        else await this.#failed(pod, queued, lead, error)
      }
      this.#bell.ring()
    })
  }

  async #explain(
    { message, rejected, rejectedBy, attempt }: Extract<Outcome, { type: 'unschedulable' }>,
    queued: QueuedPod,
    lead: Lead,
  ): Promise<void> {
    const { ctx, pod } = { ctx: this.#ctx, pod: attempt.pod }
    this.#attempts.inc({ result: 'unschedulable' })
    const unschedulable: UnschedulableAttempt = { ...attempt, rejections: rejected }
    const { nominatedNodeName } = await this.#callUnlessIdle(SchedulerUnschedulable, unschedulable)
    this.#decide(attempt, 'FailedScheduling', message, {
      nodes: attempt.snapshot.nodes.length,
      reasons: Object.fromEntries(reasonCounts(rejected.values())),
    })
    this.#queue.retry(queued.key, ctx.clock.now(), rejectedBy)
    await this.#report(pod, lead, { reason: 'Unschedulable', message, ...(nominatedNodeName !== undefined && { nominatedNodeName }) })
  }

  async #failed(pod: DeepReadonly<Pod>, queued: QueuedPod, lead: Lead, error: unknown): Promise<void> {
    this.#attempts.inc({ result: 'error' })
    this.#queue.retry(queued.key, this.#ctx.clock.now())
    if (lead.signal.aborted) return
    const message = error instanceof Error ? error.message : String(error)
    this.#ctx.log.warn({ pod: formatKey(keyOf(pod)), error }, 'scheduling attempt failed')
    await this.#report(pod, lead, { reason: 'SchedulerError', message })
  }

  async #report(pod: DeepReadonly<Pod>, { client }: Lead, failure: Parameters<typeof reportFailure>[2]): Promise<void> {
    await this.#gate.enter(async () => {
      await reportFailure({ client, events: this.#events }, pod, failure, this.#ctx.clock.now()).catch((error: unknown) =>
        this.#ctx.log.warn({ pod: formatKey(keyOf(pod)), error }, 'condition of an unscheduled pod was not written'),
      )
    })
  }

  #decide({ pod }: BuiltInAttempt, code: string, message: string, details: Readonly<Record<string, unknown>>): string {
    const { uid, resourceVersion } = pod.metadata
    return this.#ctx.decide({
      object: { kind: 'Pod', ...keyOf(pod), ...(uid !== undefined && { uid }) },
      ...(resourceVersion !== undefined && { revision: resourceVersion }),
      code,
      message,
      details,
    })
  }

  /** Hooks that nobody taps cost nothing. */
  readonly #callUnlessIdle = async <T extends object>(hook: Hook<T>, argument: T): Promise<T> =>
    this.#ctx.isIdle(hook) ? argument : this.#ctx.call(hook, argument)
}
