import type { DeepReadonly, Kind, ObjectClient, UnstructuredObject } from '@continuo/core'
import type { ResourceQuota } from '@continuo/workload'
import type { Amounts } from '../amounts/amounts.ts'
import type { Counted } from './add-up.ts'
import { usageOf } from './charge.ts'
import { evaluatorOf } from './evaluator.ts'

/** True for resources of which more counts than the number of objects. */
export const isWeighed = ({ group, resource }: Counted): boolean =>
  group === '' && ['pods', 'services', 'persistentvolumeclaims'].includes(resource)

/**
 * What the objects of a resource use of a quota, read after the quota was: what was stored meanwhile has been charged,
 * so that a status written over the version that was read is exact.
 */
export async function measureUsage(
  client: ObjectClient,
  quota: DeepReadonly<ResourceQuota>,
  kind: Kind<UnstructuredObject>,
  now: number,
): Promise<Amounts> {
  const evaluator = evaluatorOf(kind.group, kind.resource)
  if (evaluator === undefined) return new Map()
  const namespace = quota.metadata.namespace ?? ''
  const weighed = isWeighed(kind)
  const { items, metadata } = await client.for(kind).list(weighed ? { namespace } : { namespace, limit: 1 })
  const usage = usageOf(quota, evaluator, items, now)
  if (weighed || items.length === 0) return usage
  // All objects count alike: one of them and their number tell everything.
  const count = BigInt(1 + (metadata.remainingItemCount ?? 0))
  return new Map([...usage].map(([name, amount]) => [name, { ...amount, nano: amount.nano * count }]))
}
