import {
  type Condition,
  type DeepReadonly,
  definePlugin,
  hasReason,
  Namespace,
  namespaceFinalizer,
  type ObjectClient,
  type ObjectKey,
  type ReconcileResult,
} from '@continuo/core'
import { sameStatus } from '../status/same-status.ts'
import { deletionConditions, isEmpty } from './conditions.ts'
import { emptyNamespace } from './empty-namespace.ts'

const retryMs = 1000

/** Empties namespaces that are being deleted, says what they wait for, and lets them go. */
export const namespace = definePlugin({
  name: 'namespace',
  api: '^1',
  permissions: [
    { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'delete', 'deletecollection'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['namespaces/status', 'namespaces/finalize'], verbs: ['update'] },
  ],
  setup(ctx) {
    const namespaces = ctx.informer(Namespace)
    ctx.controller({
      name: 'namespace-controller',
      for: Namespace,
      async reconcile(key, { client }): Promise<ReconcileResult | undefined> {
        const seen = namespaces.lister.get(key)
        if (seen?.metadata.deletionTimestamp === undefined || !(seen.spec?.finalizers ?? []).includes(namespaceFinalizer)) return undefined
        const report = await emptyNamespace(client, key.name)
        const conditions = deletionConditions((seen.status?.conditions ?? []) as Condition[], report, ctx.clock.now())
        if (isEmpty(report)) return finalize(client, seen)
        await writeConditions(client, key, conditions)
        return { requeueAfterMs: retryMs }
      },
    })
  },
})

async function finalize(client: ObjectClient, seen: DeepReadonly<Namespace>): Promise<undefined> {
  const next = structuredClone(seen) as Namespace
  next.spec = { ...next.spec, finalizers: (next.spec?.finalizers ?? []).filter((finalizer) => finalizer !== namespaceFinalizer) }
  try {
    await client.for(Namespace).subresource<Namespace>('finalize').update({ namespace: '', name: next.metadata.name }, next)
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
}

async function writeConditions(client: ObjectClient, key: ObjectKey, conditions: Condition[]): Promise<void> {
  try {
    const fresh = await client.for(Namespace).get(key)
    if (sameStatus(fresh.status?.conditions ?? [], conditions)) return
    await client.for(Namespace).updateStatus({ ...fresh, status: { ...fresh.status, phase: 'Terminating', conditions } })
  } catch (error) {
    if (!hasReason(error, 'NotFound', 'Conflict')) throw error
  }
}
