import type { DeepReadonly } from '@continuo/core'
import { addQuantities, type ExactQuantity, formatQuantity, parseQuantity } from '@continuo/lib-quantity'
import type { ResourceQuota } from '@continuo/workload'
import { type Amounts, addTo, amountsOf, growth, listed, none } from '../amounts/amounts.ts'
import type { Evaluator, QuotaObject } from './evaluator.ts'
import { covers } from './scopes.ts'

type Quota = DeepReadonly<ResourceQuota>

/** What an object means to quotas. */
export interface Charge {
  readonly evaluator: Evaluator
  readonly object: QuotaObject
  /** Absent when the object is new. */
  readonly before?: QuotaObject
  readonly now: number
  /** Everything of the object's resource in its namespace: asked for only where a quota has not been added up yet. */
  existing(): readonly QuotaObject[]
}

export type Verdict =
  | { readonly type: 'refused'; readonly why: string }
  /** What each quota that the object counts for has used once it is stored. */
  | { readonly type: 'charged'; readonly quotas: readonly ResourceQuota[] }

/** Whether the quotas of a namespace bear an object, and what is left of them. Pure but for {@link Charge.existing}. */
export function chargeQuotas(quotas: readonly Quota[], charge: Charge): Verdict {
  const { evaluator, object, before, now } = charge
  const charged: ResourceQuota[] = []
  let after: Amounts | undefined
  for (const quota of quotas) {
    const names = Object.keys(quota.spec?.hard ?? {}).filter((name) => evaluator.counts(name))
    if (names.length === 0 || !covers(quota, evaluator, object)) continue
    const missing = evaluator.missing?.(names, object)
    if (missing !== undefined) return { type: 'refused', why: `failed quota: ${quota.metadata.name}: ${missing}` }
    after ??= evaluator.usage(object, now)
    const negative = [...after].filter(([, amount]) => amount.nano < 0n).map(([name]) => name)
    if (negative.length > 0) return { type: 'refused', why: `quota usage is negative for resource(s): ${negative.sort().join(',')}` }
    const counted = before !== undefined && covers(quota, evaluator, before) ? evaluator.usage(before, now) : new Map()
    const more = only(growth(after, counted), names)
    if (more.size === 0) continue
    const verdict = chargeOne(quota, names, more, charge)
    if (typeof verdict === 'string') return { type: 'refused', why: verdict }
    charged.push(verdict)
  }
  return { type: 'charged', quotas: charged }
}

function chargeOne(quota: Quota, names: readonly string[], more: Amounts, charge: Charge): ResourceQuota | string {
  const hard = amountsOf(quota.spec?.hard)
  const used = usedOf(quota, names, charge)
  const exceeded = [...more].filter(([name, amount]) => (used.get(name) ?? none).nano + amount.nano > (hard.get(name) ?? none).nano)
  if (exceeded.length > 0) {
    const which = exceeded.map(([name]) => name)
    const withZeros = new Map(which.map((name) => [name, used.get(name) ?? none]))
    return `exceeded quota: ${quota.metadata.name}, requested: ${listed(only(more, which))}, used: ${listed(withZeros)}, limited: ${listed(only(hard, which))}`
  }
  const next: Record<string, string> = { ...quota.status?.used }
  for (const [name, amount] of used) next[name] = formatQuantity(addQuantities(amount, more.get(name) ?? none))
  return structuredClone({ ...quota, status: { ...quota.status, used: next } }) as ResourceQuota
}

/** What is used of the names that matter here. A quota that nobody has added up yet is added up. */
function usedOf(quota: Quota, names: readonly string[], charge: Charge): Map<string, ExactQuantity> {
  const known = quota.status?.used ?? {}
  const isKnown = names.every((name) => Object.hasOwn(known, name))
  if (isKnown) return new Map(names.map((name) => [name, parseQuantity(known[name] as string)]))
  const sum = usageOf(quota, charge.evaluator, charge.existing(), charge.now)
  return new Map(names.map((name) => [name, sum.get(name) ?? none]))
}

/** What these objects of one resource use of a quota. */
export function usageOf(quota: Quota, evaluator: Evaluator, objects: readonly QuotaObject[], now: number): Amounts {
  const sum = new Map<string, ExactQuantity>()
  for (const object of objects) if (covers(quota, evaluator, object)) addTo(sum, evaluator.usage(object, now))
  return sum
}

const only = (amounts: Amounts, names: readonly string[]): Amounts => new Map([...amounts].filter(([name]) => names.includes(name)))
