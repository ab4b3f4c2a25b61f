import type { DeepReadonly } from '@continuo/core'
import { type ExactQuantity, parseQuantity } from '@continuo/lib-quantity'
import type { ResourceQuota } from '@continuo/workload'
import { type Amounts, none, quantitiesOf } from '../amounts/amounts.ts'
import { evaluatorOf } from './evaluator.ts'

type Quota = DeepReadonly<ResourceQuota>

/** A resource by group and plural. */
export interface Counted {
  readonly group: string
  readonly resource: string
}

const builtIn: readonly Counted[] = [
  'pods',
  'services',
  'persistentvolumeclaims',
  'configmaps',
  'secrets',
  'replicationcontrollers',
  'resourcequotas',
].map((resource) => ({ group: '', resource }))

/** The resources whose objects a quota counts, each once. */
export function countedBy({ spec }: Quota): readonly Counted[] {
  const names = Object.keys(spec?.hard ?? {})
  const known = builtIn.filter(({ group, resource }) => names.some((name) => evaluatorOf(group, resource)?.counts(name)))
  const others = names.flatMap((name): Counted[] => {
    const [, resource, group = ''] = /^count\/([^.]+)(?:\.(.+))?$/.exec(name) ?? []
    return resource === undefined ? [] : [{ group, resource }]
  })
  return [...known, ...others.filter((each) => !known.some((one) => sameResource(one, each)))]
}

export const sameResource = (a: Counted, b: Counted): boolean => a.group === b.group && a.resource === b.resource

/** The status of a quota of which these amounts are used. What nothing counts for stays at zero. Pure. */
export function addUp(quota: Quota, usages: readonly Amounts[]): NonNullable<ResourceQuota['status']> {
  const hard = { ...quota.spec?.hard }
  const used = new Map<string, ExactQuantity>(
    Object.entries(hard).map(([name, limit]) => [name, { ...none, format: parseQuantity(limit).format }]),
  )
  for (const usage of usages) for (const [name, amount] of usage) if (used.has(name)) used.set(name, amount)
  return { hard, used: quantitiesOf(used) }
}
