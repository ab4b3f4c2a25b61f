import {
  compileLabelSelector,
  controllerOf,
  createEventRecorder,
  type DecisionLog,
  type DeepReadonly,
  type EventRecorder,
  formatKey,
  hasReason,
  type Informer,
  type Kind,
  type KubeObject,
  keyOf,
  type LabelSelector,
  type ObjectClient,
  type ObjectKey,
  type PluginContext,
  type ReconcileResult,
  watches,
} from '@continuo/core'
import { Pod, type ReplicaSet, type ReplicaSetStatus } from '@continuo/workload'
import { controllerReference } from '../adoption/claim.ts'
import { claimObjects } from '../adoption/claim-objects.ts'
import { type PodView, readySince } from '../pods/pod-state.ts'
import { sameStatus } from '../status/same-status.ts'
import { DeletedPods } from './deleted-pods.ts'
import { isNamespaceGoing } from './namespace-going.ts'
import { planReplicas } from './plan.ts'
import { slowStart } from './slow-start.ts'
import { nextAvailability, type ReplicaFailure, replicaSetStatus } from './status.ts'

/** How a kind that keeps replicas differs from the others of its family. */
export interface ReplicaKind<T extends KubeObject> {
  readonly kind: Kind<T>
  /** Name of the controller and of its events' source. */
  readonly component: string
  /** The object in the form of a replica set: what all rules here read. */
  view(object: DeepReadonly<T>): DeepReadonly<ReplicaSet>
  selector(object: DeepReadonly<T>): LabelSelector
  /** Where the decision that gave a set its size is found: the cause of what is done to its pods. */
  readonly decisions?: DecisionLog | undefined
}

/** Registers the controller that keeps the number of replicas of one kind. */
export function replicaController<T extends KubeObject>(ctx: PluginContext, replicas: ReplicaKind<T>): void {
  const sets = ctx.informer(replicas.kind)
  const pods = ctx.informer(Pod, { indexes: { controller: (pod) => [controllerOf(pod)?.uid ?? orphan(pod)] } })
  const events = createEventRecorder({
    client: ctx.leaderClient,
    clock: ctx.clock,
    log: ctx.log,
    component: replicas.component,
    signal: ctx.signal,
  })
  ctx.onStop(() => events.close())
  const keeper = new ReplicaKeeper(ctx, replicas, sets, pods, events)
  pods.on({ deleted: (pod) => keeper.forget(pod) })
  ctx.controller({
    name: replicas.component,
    for: replicas.kind,
    owns: [Pod as Kind],
    watches: [watches(Pod, (pod) => (controllerOf(pod) === undefined ? keeper.matching(pod) : []))],
    reconcile: (key, { client, signal }) => keeper.reconcile(key, client, signal),
  })
}

const orphan = (pod: PodView): string => `orphan/${pod.metadata.namespace ?? ''}`

class ReplicaKeeper<T extends KubeObject> {
  readonly #ctx: PluginContext
  readonly #replicas: ReplicaKind<T>
  readonly #sets: Informer<T>
  readonly #pods: Informer<Pod>
  readonly #events: EventRecorder
  readonly #deleted = new DeletedPods()

  constructor(ctx: PluginContext, replicas: ReplicaKind<T>, sets: Informer<T>, pods: Informer<Pod>, events: EventRecorder) {
    this.#ctx = ctx
    this.#replicas = replicas
    this.#sets = sets
    this.#pods = pods
    this.#events = events
  }

  forget(pod: PodView): void {
    this.#deleted.forget(pod)
  }

  /** Sets whose selector picks an orphan. */
  matching(pod: PodView): readonly ObjectKey[] {
    return this.#sets.lister
      .list(pod.metadata.namespace)
      .filter((set) => compileLabelSelector(this.#replicas.selector(set))(pod.metadata.labels))
      .map((set) => keyOf(set as DeepReadonly<KubeObject>))
  }

  async reconcile(key: ObjectKey, client: ObjectClient, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const object = this.#sets.lister.get(key)
    if (object === undefined) return undefined
    const set = this.#replicas.view(object)
    const candidates = [
      ...this.#pods.lister.byIndex('controller', set.metadata.uid ?? ''),
      ...this.#pods.lister.byIndex('controller', `orphan/${key.namespace}`),
    ]
    const selects = compileLabelSelector(this.#replicas.selector(object))
    const owned = await claimObjects(client, { kind: this.#replicas.kind, object }, { kind: Pod, objects: candidates }, selects)
    const pods = this.#deleted.without(owned)
    const managed = set.metadata.deletionTimestamp === undefined ? await this.#manage(set, pods, client) : {}
    if (managed.newest !== undefined) await this.#pods.lister.reached(managed.newest, signal)
    const now = this.#ctx.clock.now()
    await this.#writeStatus(object, replicaSetStatus(set, pods, managed.failure, now), client)
    if (managed.error !== undefined) throw managed.error
    const requeueAfterMs = nextAvailability(pods, set.spec?.minReadySeconds ?? 0, now, readySince)
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs }
  }

  async #manage(
    set: DeepReadonly<ReplicaSet>,
    pods: readonly PodView[],
    client: ObjectClient,
  ): Promise<{ failure?: ReplicaFailure; error?: unknown; newest?: string }> {
    const plan = planReplicas(set.spec?.replicas ?? 1, pods, this.#related(set, pods), this.#ctx.clock.now())
    if (plan.type === 'nothing') return {}
    const versions: string[] = []
    const { error } =
      plan.type === 'create'
        ? await slowStart(plan.count, async () => void versions.push(await this.#create(set, client)))
        : await allOf(plan.pods.map(async (pod) => void versions.push(await this.#delete(set, pod, client))))
    const newest = versions.reduce((latest, version) => (Number(version) > Number(latest) ? version : latest), '')
    const reached = newest === '' ? {} : { newest }
    if (error === undefined || isNamespaceGoing(error)) return reached
    return { ...reached, error, failure: { reason: plan.type === 'create' ? 'FailedCreate' : 'FailedDelete', message: messageOf(error) } }
  }

  async #create(set: DeepReadonly<ReplicaSet>, client: ObjectClient): Promise<string> {
    try {
      const created = await client.for(Pod).create(podFrom(set))
      this.#events.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
      this.#decide(set, created, 'ReplicaCreated')
      return created.metadata.resourceVersion ?? ''
    } catch (error) {
      if (!isNamespaceGoing(error)) this.#events.event(set, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
      throw error
    }
  }

  async #delete(set: DeepReadonly<ReplicaSet>, pod: PodView, client: ObjectClient): Promise<string> {
    const { name, uid } = pod.metadata
    const cause = this.#decide(set, pod, 'ReplicaDeleted')
    this.#deleted.add(pod)
    try {
      const deleted = await client
        .with({ cause })
        .for(Pod)
        .delete(keyOf(pod), uid === undefined ? {} : { preconditions: { uid } })
      this.#events.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
      return deleted.metadata.resourceVersion ?? ''
    } catch (error) {
      if (hasReason(error, 'NotFound', 'Conflict')) return ''
      this.#deleted.forget(pod)
      this.#events.event(set, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
      throw error
    }
  }

  /** Why a pod comes or goes; its cause is the latest decision about the size of the set, if this process made it. */
  #decide(set: DeepReadonly<ReplicaSet>, pod: PodView, code: 'ReplicaCreated' | 'ReplicaDeleted'): string {
    const { uid, resourceVersion } = set.metadata
    const cause = this.#replicas.decisions
      ?.about({ kind: set.kind, ...keyOf(set) })
      .findLast(({ object }) => object.uid === undefined || object.uid === uid)
    return this.#ctx.decide({
      object: { kind: 'Pod', ...keyOf(pod), ...(pod.metadata.uid && { uid: pod.metadata.uid }) },
      ...(resourceVersion && { revision: resourceVersion }),
      ...(cause && { cause: cause.id }),
      code,
      message: `${set.kind} ${formatKey(keyOf(set))} wants ${set.spec?.replicas ?? 1} replicas`,
    })
  }

  /** Pods of every set of the same owner: a rolling update must see the pods of the other generation on a node. */
  #related(set: DeepReadonly<ReplicaSet>, own: readonly PodView[]): readonly PodView[] {
    const owner = controllerOf(set)?.uid
    if (owner === undefined) return own
    return this.#sets.lister
      .list(set.metadata.namespace)
      .filter((other) => controllerOf(other as DeepReadonly<KubeObject>)?.uid === owner)
      .flatMap((other) => this.#pods.lister.byIndex('controller', other.metadata.uid ?? ''))
  }

  async #writeStatus(object: DeepReadonly<T>, status: ReplicaSetStatus, client: ObjectClient): Promise<void> {
    const current = (object as { readonly status?: unknown }).status
    if (sameStatus(current, status)) return
    try {
      await client.for(this.#replicas.kind).updateStatus({ ...structuredClone(object), status } as T & { status: ReplicaSetStatus })
    } catch (error) {
      // It was deleted meanwhile.
      if (!hasReason(error, 'NotFound')) throw error
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const allOf = async (tasks: readonly Promise<void>[]): Promise<{ readonly error?: unknown }> => {
  const failed = (await Promise.allSettled(tasks)).find((result) => result.status === 'rejected')
  return failed === undefined ? {} : { error: failed.reason }
}

/** A pod of the set's template, owned by it. */
export function podFrom(set: DeepReadonly<ReplicaSet>): Pod {
  const template = structuredClone(set.spec?.template) as NonNullable<NonNullable<ReplicaSet['spec']>['template']>
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace ?? '',
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controllerReference(set)],
    },
    ...(template.spec && { spec: template.spec }),
  }
}
