import {
  createEventRecorder,
  definePlugin,
  type EventRecorder,
  formatKey,
  formatTime,
  hasReason,
  type Informer,
  keyOf,
  Lease,
  type ObjectClient,
  type ObjectKey,
  type PluginContext,
  type ReconcileResult,
  watches,
} from '@continuo/core'
import { Node, Pod, type PodCondition } from '@continuo/workload'
import { z } from 'zod'
import { hasEnded, isReady, isTerminating, type PodView } from '../pods/pod-state.ts'
import { evictionTime } from './eviction.ts'
import { type Heartbeat, isNodeReady, type NodeView, nextTaints, refreshed, silentConditions } from './health.ts'
import { doomedPods } from './pod-collection.ts'

const leaseNamespace = 'kube-node-lease'

const config = z
  .strictObject({
    gracePeriodSeconds: z.int().min(1).default(40).describe('A node of which nothing is heard for this long is taken for unreachable.'),
    checkSeconds: z.int().min(1).default(5).describe('Seconds between two looks at each node.'),
    collectSeconds: z.int().min(1).default(20).describe('Seconds between two looks for pods that nobody takes care of.'),
    keepEndedPods: z.int().min(0).default(12_500).describe('Pods that have ended are deleted, oldest first, when there are more.'),
  })
  .prefault({})

type Config = z.infer<typeof config>

/** Notices nodes that have gone silent, keeps pods off unhealthy nodes, evicts those that have been there too long, and collects lost pods. */
export const nodeLifecycle = definePlugin({
  name: 'node-lifecycle',
  api: '^1',
  config,
  permissions: [
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch', 'patch'] },
    { apiGroups: [''], resources: ['nodes/status'], verbs: ['update'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'delete'] },
    { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
  setup: (ctx) => new NodeLifecycle(ctx).begin(),
})

class NodeLifecycle {
  readonly #ctx: PluginContext<Config>
  readonly #nodes: Informer<Node>
  readonly #leases: Informer<Lease>
  readonly #pods: Informer<Pod>
  readonly #events: EventRecorder
  /** One entry for each node. */
  readonly #heartbeats = new Map<string, Heartbeat>()
  /** When a node with pods was first found missing: monotonic milliseconds. */
  readonly #missing = new Map<string, number>()

  constructor(ctx: PluginContext<Config>) {
    this.#ctx = ctx
    this.#nodes = ctx.informer(Node)
    this.#leases = ctx.informer(Lease, { namespace: leaseNamespace })
    this.#pods = ctx.informer(Pod, { indexes: { node: (pod) => [pod.spec?.nodeName ?? ''] } })
    this.#events = createEventRecorder({
      client: ctx.leaderClient,
      clock: ctx.clock,
      log: ctx.log,
      component: 'node-controller',
      signal: ctx.signal,
    })
  }

  begin(): void {
    const ctx = this.#ctx
    ctx.onStop(() => this.#events.close())
    this.#nodes.on({ deleted: (node) => void this.#heartbeats.delete(node.metadata.name) })
    ctx.controller({
      name: 'node-lifecycle-controller',
      for: Node,
      watches: [watches(Pod, (pod) => this.#taintedHome(pod))],
      reconcile: (key, { client }) => this.#reconcile(key, client),
    })
    ctx.whileLeading('pod-collection', async ({ client, signal }) => {
      // What was seen in an earlier term says nothing about now.
      this.#missing.clear()
      await this.#pods.whenSynced(signal)
      await this.#nodes.whenSynced(signal)
      while (!signal.aborted) {
        await this.#collect(client)
        await ctx.clock.sleep(ctx.config.collectSeconds * 1000, signal)
      }
    })
  }

  /** A pod that comes to a tainted node may have to leave it. */
  #taintedHome(pod: PodView): readonly ObjectKey[] {
    const name = pod.spec?.nodeName ?? ''
    const taints = name === '' ? undefined : this.#nodes.lister.get(name)?.spec?.taints
    return taints?.some((taint) => taint.effect === 'NoExecute') === true ? [{ namespace: '', name }] : []
  }

  async #reconcile(key: ObjectKey, client: ObjectClient): Promise<ReconcileResult | undefined> {
    const node = this.#nodes.lister.get(key)
    if (node === undefined) return undefined
    const { clock, config: settings } = this.#ctx
    const requeueAfterMs = settings.checkSeconds * 1000
    if (await this.#noteSilence(node, client)) return { requeueAfterMs }
    const taints = nextTaints(node, clock.now())
    if (taints !== undefined) {
      await this.#patchNode(node, { spec: { taints } }, client)
      return { requeueAfterMs }
    }
    if (!isNodeReady(node)) await this.#markPodsNotReady(node, client)
    const next = await this.#evict(node, client)
    return { requeueAfterMs: Math.min(requeueAfterMs, next ?? requeueAfterMs) }
  }

  /** True when the node has just been declared unknown. */
  async #noteSilence(node: NodeView, client: ObjectClient): Promise<boolean> {
    const { clock, config: settings } = this.#ctx
    const { name } = node.metadata
    const renewed = this.#leases.lister.get({ namespace: leaseNamespace, name })?.spec?.renewTime ?? ''
    const posted = node.status?.conditions?.find((condition) => condition.type === 'Ready')
    const seen = `${renewed} ${posted?.lastHeartbeatTime ?? ''} ${posted?.status === 'Unknown' ? '' : (posted?.status ?? '')}`
    const heartbeat = refreshed(this.#heartbeats.get(name), seen, clock.monotonic())
    this.#heartbeats.set(name, heartbeat)
    if (clock.monotonic() - heartbeat.at < settings.gracePeriodSeconds * 1000) return false
    const conditions = silentConditions(node, clock.now())
    if (conditions === undefined) return false
    const wasReady = isNodeReady(node)
    await client
      .for(Node)
      .updateStatus({ ...(structuredClone(node) as Node), status: { ...(structuredClone(node.status) as Node['status']), conditions } })
    // The controller's own write is no sign of life.
    this.#heartbeats.set(name, { ...heartbeat, seen: `${renewed} ${posted?.lastHeartbeatTime ?? ''} ` })
    if (wasReady) this.#events.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
    this.#ctx.decide({
      object: { kind: 'Node', namespace: '', name },
      code: 'NodeStatusUnknown',
      message: `nothing was heard of node ${name} for ${settings.gracePeriodSeconds} s`,
    })
    return true
  }

  async #patchNode(node: NodeView, body: object, client: ObjectClient): Promise<void> {
    const { uid, resourceVersion } = node.metadata
    await client.for(Node).patch(keyOf(node), {
      type: 'merge',
      body: { metadata: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) }, ...body },
    })
  }

  /** Nobody is there to say it: the pods of an unhealthy node are not ready. */
  async #markPodsNotReady(node: NodeView, client: ObjectClient): Promise<void> {
    for (const pod of this.#pods.lister.byIndex('node', node.metadata.name)) {
      if (!isReady(pod) || hasEnded(pod)) continue
      await this.#patchCondition(
        pod,
        { type: 'Ready', status: 'False', reason: 'NodeNotReady', lastTransitionTime: formatTime(this.#ctx.clock.now()) },
        client,
      )
      this.#events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
    }
  }

  /** Evicts what is due; the milliseconds until the next pod is. */
  async #evict(node: NodeView, client: ObjectClient): Promise<number | undefined> {
    const taints = (node.spec?.taints ?? []).filter((taint) => taint.effect === 'NoExecute')
    if (taints.length === 0) return undefined
    const now = this.#ctx.clock.now()
    let next: number | undefined
    for (const pod of this.#pods.lister.byIndex('node', node.metadata.name)) {
      if (isTerminating(pod) || hasEnded(pod)) continue
      const due = evictionTime(pod, taints)
      if (due === undefined) continue
      if (due <= now) await this.#evictPod(pod, node, client)
      else next = Math.min(next ?? Number.POSITIVE_INFINITY, due - now)
    }
    return next
  }

  async #evictPod(pod: PodView, node: NodeView, client: ObjectClient): Promise<void> {
    const { uid } = pod.metadata
    const name = formatKey(keyOf(pod))
    this.#events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${name}`)
    const cause = this.#ctx.decide({
      object: { kind: 'Pod', ...keyOf(pod), ...(uid && { uid }) },
      code: 'TaintManagerEviction',
      message: `node ${node.metadata.name} has a taint that the pod does not tolerate any longer`,
      details: { taints: node.spec?.taints?.map(({ key, effect }) => `${key}:${effect}`) },
    })
    const message = 'Taint manager: deleting due to NoExecute taint'
    await this.#patchCondition(
      pod,
      {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message,
        lastTransitionTime: formatTime(this.#ctx.clock.now()),
      },
      client,
    )
    await deletePod(pod, client.with({ cause }))
  }

  async #patchCondition(pod: PodView, condition: PodCondition, client: ObjectClient, phase?: 'Failed'): Promise<void> {
    const { uid } = pod.metadata
    try {
      await client
        .for(Pod)
        .subresource('status')
        .patch(keyOf(pod), {
          type: 'strategic',
          body: { metadata: { ...(uid && { uid }) }, status: { conditions: [condition], ...(phase && { phase }) } },
        })
    } catch (error) {
      if (!hasReason(error, 'NotFound', 'Conflict')) throw error
    }
  }

  async #collect(client: ObjectClient): Promise<void> {
    const { clock, config: settings } = this.#ctx
    const now = clock.monotonic()
    const homes = new Set(this.#pods.lister.list().map((pod) => pod.spec?.nodeName ?? ''))
    homes.delete('')
    for (const name of this.#missing.keys()) if (!homes.has(name) || this.#nodes.lister.get(name) !== undefined) this.#missing.delete(name)
    for (const name of homes) if (this.#nodes.lister.get(name) === undefined && !this.#missing.has(name)) this.#missing.set(name, now)
    const gone = (name: string): boolean => now - (this.#missing.get(name) ?? now) >= settings.gracePeriodSeconds * 1000
    for (const { pod, why } of doomedPods(this.#pods.lister.list(), gone, settings.keepEndedPods)) {
      if (why === 'orphaned' && !hasEnded(pod)) {
        const message = 'PodGC: node no longer exists'
        await this.#patchCondition(
          pod,
          { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message, lastTransitionTime: formatTime(clock.now()) },
          client,
          'Failed',
        )
      }
      this.#ctx.decide({ object: { kind: 'Pod', ...keyOf(pod) }, code: 'PodCollected', message: `the pod is ${why}` })
      await deletePod(pod, client, 0)
    }
  }
}

async function deletePod(pod: PodView, client: ObjectClient, gracePeriodSeconds?: number): Promise<void> {
  const { uid } = pod.metadata
  try {
    await client
      .for(Pod)
      .delete(keyOf(pod), { ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }), ...(uid && { preconditions: { uid } }) })
  } catch (error) {
    if (!hasReason(error, 'NotFound', 'Conflict')) throw error
  }
}
