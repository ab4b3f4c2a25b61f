import {
  compileLabelSelector,
  controllerOf,
  createEventRecorder,
  definePlugin,
  type Kind,
  keyOf,
  type ObjectKey,
  type PluginContext,
  type ReconcileContext,
  type ReconcileResult,
  watches,
} from '@continuo/core'
import { Deployment, Pod, ReplicaSet } from '@continuo/workload'
import { claimObjects } from '../adoption/claim-objects.ts'
import { hasEnded, type PodView } from '../pods/pod-state.ts'
import { DeploymentSync } from './deployment-sync.ts'
import { nextDeadlineCheck, pauseCondition } from './progress.ts'
import { isScalingEvent } from './scaling.ts'
import { splitSets } from './template.ts'
import { type DeploymentView, isRolling, type ReplicaSetView } from './views.ts'

const component = 'deployment-controller'

/** Rolls out deployments: one replica set for each pod template, replaced step by step. */
export const deployment = definePlugin({
  name: 'deployment',
  api: '^1',
  permissions: [
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'patch'] },
    { apiGroups: ['apps'], resources: ['deployments/status', 'deployments/finalizers'], verbs: ['update'] },
    { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
  setup: (ctx) => rollOutDeployments(ctx),
})

function rollOutDeployments(ctx: PluginContext): void {
  const deployments = ctx.informer(Deployment)
  const sets = ctx.informer(ReplicaSet, {
    indexes: { controller: (set) => [controllerOf(set)?.uid ?? `orphan/${set.metadata.namespace ?? ''}`] },
  })
  const pods = ctx.informer(Pod, { indexes: { controller: (pod) => [controllerOf(pod)?.uid ?? `orphan/${pod.metadata.namespace ?? ''}`] } })
  const events = createEventRecorder({ client: ctx.leaderClient, clock: ctx.clock, log: ctx.log, component, signal: ctx.signal })
  ctx.onStop(() => events.close())

  const selecting = (set: ReplicaSetView): readonly ObjectKey[] =>
    deployments.lister
      .list(set.metadata.namespace)
      .filter((each) => selects(each)(set.metadata.labels))
      .map((each) => keyOf(each))

  /** A deployment that recreates waits for its last old pod to go. */
  const recreating = (pod: PodView): readonly ObjectKey[] => {
    const owner = controllerOf(pod)
    if (owner?.kind !== 'ReplicaSet') return []
    const set = sets.lister.get({ namespace: pod.metadata.namespace ?? '', name: owner.name })
    const parent = set === undefined ? undefined : controllerOf(set)
    if (parent?.kind !== 'Deployment') return []
    const key = { namespace: pod.metadata.namespace ?? '', name: parent.name }
    const found = deployments.lister.get(key)
    return found !== undefined && !isRolling(found) ? [key] : []
  }

  async function reconcile(key: ObjectKey, { client, decide, signal }: ReconcileContext): Promise<ReconcileResult | undefined> {
    const wish = deployments.lister.get(key)
    if (wish === undefined) return undefined
    if (isEmptySelector(wish)) {
      events.event(wish, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.')
      return undefined
    }
    const candidates = [
      ...sets.lister.byIndex('controller', wish.metadata.uid ?? ''),
      ...sets.lister.byIndex('controller', `orphan/${key.namespace}`),
    ]
    const owned = await claimObjects(client, { kind: Deployment, object: wish }, { kind: ReplicaSet, objects: candidates }, selects(wish))
    const { current, old } = splitSets(wish, owned)
    const sync = new DeploymentSync({ client, clock: ctx.clock, decide, events }, wish, current, old)
    if (wish.metadata.deletionTimestamp !== undefined) {
      await sync.onlyStatus()
      return undefined
    }
    const pause = pauseCondition(wish, ctx.clock.now())
    if (pause !== undefined) sync.addCondition(pause)
    const status = await (wish.spec?.paused === true || isScalingEvent(wish, owned)
      ? sync.scale()
      : isRolling(wish)
        ? sync.roll()
        : sync.recreate(() => old.some((set) => pods.lister.byIndex('controller', set.metadata.uid ?? '').some((pod) => !hasEnded(pod)))))
    if (sync.newest !== undefined) await sets.lister.reached(sync.newest, signal)
    const requeueAfterMs = nextDeadlineCheck(wish, status, ctx.clock.now())
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs }
  }

  ctx.controller({
    name: component,
    for: Deployment,
    owns: [ReplicaSet as Kind],
    watches: [watches(ReplicaSet, (set) => (controllerOf(set) === undefined ? selecting(set) : [])), watches(Pod, recreating)],
    reconcile,
  })
}

const selects = (wish: DeploymentView) => compileLabelSelector(wish.spec?.selector as Parameters<typeof compileLabelSelector>[0])

const isEmptySelector = ({ spec }: DeploymentView): boolean =>
  Object.keys(spec?.selector?.matchLabels ?? {}).length === 0 && (spec?.selector?.matchExpressions?.length ?? 0) === 0
