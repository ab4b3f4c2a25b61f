import {
  ApiError,
  definePlugin,
  hasReason,
  type Informer,
  type ObjectClient,
  type ObjectKey,
  type PluginContext,
  SubresourceActionCap,
  type UnstructuredObject,
  watches,
} from '@continuo/core'
import { Pod, PodDisruptionBudget, ReplicaSet, ReplicationController } from '@continuo/workload'
import { isReady, type PodView } from '../pods/pod-state.ts'
import { sameStatus } from '../status/same-status.ts'
import { type BudgetView, budgetStatus, budgetsOf, goesUnasked, podsOfBudget, unhealthyMayGo, withGranted } from './budget.ts'

interface Eviction {
  readonly metadata?: { readonly name?: string }
  readonly deleteOptions?: {
    readonly gracePeriodSeconds?: number
    readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  }
}

/** Writers of one budget that meet try again this often before the caller is told to. */
const attempts = 5

/** Answers evictions of pods within what their disruption budgets allow, and keeps the budgets' status. */
export const disruption = definePlugin({
  name: 'disruption',
  api: '^1',
  provides: [SubresourceActionCap],
  permissions: [
    { apiGroups: [''], resources: ['pods', 'replicationcontrollers'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['delete'] },
    { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['policy'], resources: ['poddisruptionbudgets/status'], verbs: ['update'] },
  ],
  setup(ctx) {
    const wanted = wantedCounts(ctx)
    const budgets = ctx.informer(PodDisruptionBudget)
    const pods = ctx.informer(Pod)
    const statusOf = (budget: BudgetView) => {
      const held = podsOfBudget(budget, pods.lister.list(budget.metadata.namespace))
      return budgetStatus(budget, held, wanted(held), ctx.clock.now())
    }
    ctx.controller({
      name: 'disruption-controller',
      for: PodDisruptionBudget,
      watches: [watches(Pod, (pod) => keysOf(budgetsOf(budgets.lister.list(pod.metadata.namespace), pod)))],
      async reconcile(key, { client, signal }) {
        const budget = budgets.lister.get(key)
        if (budget === undefined) return
        const status = statusOf(budget)
        const { conditions, ...before } = budget.status ?? {}
        if (sameStatus(before, status)) return
        const next = { ...(budget as PodDisruptionBudget), status: { ...status, ...(conditions && { conditions: [...conditions] }) } }
        const written = await client.for(PodDisruptionBudget).updateStatus(structuredClone(next) as PodDisruptionBudget)
        await budgets.lister.reached(written.metadata.resourceVersion ?? '', signal)
      },
    })
    const evict = evictor(ctx, budgets, statusOf)
    ctx.provide(
      SubresourceActionCap,
      { run: ({ ref, body, options }) => evict({ namespace: ref.namespace, name: ref.name }, body as Eviction, options.dryRun === true) },
      '/pods/eviction',
    )
  },
})

const keysOf = (budgets: readonly BudgetView[]): readonly ObjectKey[] =>
  budgets.map(({ metadata: { name, namespace = '' } }) => ({ namespace, name }))

/** How many pods the controllers of these want; undefined when one of them has none, or one that does not say. */
function wantedCounts(ctx: PluginContext): (pods: readonly PodView[]) => number | undefined {
  const sources: Readonly<Record<string, Informer<ReplicaSet> | Informer<ReplicationController>>> = {
    ReplicaSet: ctx.informer(ReplicaSet),
    ReplicationController: ctx.informer(ReplicationController),
  }
  return (pods) => {
    const counts = new Map<string, number>()
    for (const pod of pods) {
      const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true)
      const controller = owner && sources[owner.kind]?.lister.get({ namespace: pod.metadata.namespace ?? '', name: owner.name })
      if (owner === undefined || controller?.metadata.uid !== owner.uid) return undefined
      counts.set(owner.uid, controller.spec?.replicas ?? 1)
    }
    return [...counts.values()].reduce((sum, count) => sum + count, 0)
  }
}

/** Without a time after which to try again: clients would, for minutes, instead of telling their user. */
const tooMany = (why: string): ApiError =>
  new ApiError('TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: why }],
  })

function evictor(
  ctx: PluginContext,
  budgets: Informer<PodDisruptionBudget>,
  statusOf: (budget: BudgetView) => ReturnType<typeof budgetStatus>,
): (key: ObjectKey, eviction: Eviction, dryRun: boolean) => Promise<UnstructuredObject> {
  const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as unknown as UnstructuredObject

  /** Takes one disruption from the budget of a pod, by a write that fails when somebody else was quicker. */
  async function grant(client: ObjectClient, pod: PodView, found: BudgetView, dryRun: boolean): Promise<void> {
    const target = client.for(PodDisruptionBudget)
    let budget: BudgetView = found
    for (let attempt = 0; attempt < attempts; attempt++) {
      const status = statusOf(budget)
      if (!isReady(pod) && unhealthyMayGo(budget, status)) return
      if (status.disruptionsAllowed <= 0)
        throw tooMany(
          `The disruption budget ${budget.metadata.name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
        )
      const next = structuredClone({ ...budget, status: withGranted(status, pod.metadata.name, ctx.clock.now()) }) as PodDisruptionBudget
      try {
        await target.updateStatus(next, { dryRun })
        return
      } catch (error) {
        if (!hasReason(error, 'Conflict')) throw error
        budget = await target.get({ namespace: pod.metadata.namespace ?? '', name: budget.metadata.name })
      }
    }
    throw tooMany(`The disruption budget ${found.metadata.name} is changed by too many at once`)
  }

  return async (key, { metadata, deleteOptions }, dryRun) => {
    if (metadata?.name && metadata.name !== key.name)
      throw new ApiError(
        'BadRequest',
        `name in URL does not match name in Eviction object: ${JSON.stringify(key.name)} != ${JSON.stringify(metadata.name)}`,
      )
    const pod = await ctx.client.for(Pod).get(key)
    if (!goesUnasked(pod)) {
      await budgets.whenSynced()
      const [budget, another] = budgetsOf(budgets.lister.list(key.namespace), pod)
      if (another !== undefined)
        throw new ApiError(
          'InternalError',
          'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
        )
      if (budget !== undefined) await grant(ctx.client, pod, budget, dryRun)
    }
    const { gracePeriodSeconds, preconditions } = deleteOptions ?? {}
    await ctx.client.for(Pod).delete(key, {
      preconditions: { ...(pod.metadata.uid === undefined ? {} : { uid: pod.metadata.uid }), ...preconditions },
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      dryRun,
    })
    return success
  }
}
