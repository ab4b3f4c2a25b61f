import type { DeepReadonly } from '@continuo/core'
import type { ResourceQuota } from '@continuo/workload'
import type { Evaluator, QuotaObject, Scope } from './evaluator.ts'

/** Everything that an object must match for the quota to count it. */
export const scopesOf = ({ spec }: DeepReadonly<ResourceQuota>): readonly Scope[] => [
  ...(spec?.scopes ?? []).map((scopeName): Scope => ({ scopeName, operator: 'Exists' })),
  ...(spec?.scopeSelector?.matchExpressions ?? []),
]

/** True when a quota counts this object. A resource that knows no scopes is counted by quotas without any. */
export const covers = (quota: DeepReadonly<ResourceQuota>, evaluator: Evaluator, object: QuotaObject): boolean =>
  scopesOf(quota).every((scope) => evaluator.inScope?.(scope, object) === true)

/** Whether the names that an object bears fulfil a scope's operator and values. */
export function matchesNames({ operator, values = [] }: Scope, names: readonly string[]): boolean {
  const among = names.some((name) => values.includes(name))
  switch (operator) {
    case 'Exists':
      return names.length > 0
    case 'DoesNotExist':
      return names.length === 0
    case 'In':
      return among
    case 'NotIn':
      return names.length === 0 || names.some((name) => !values.includes(name))
    default:
      return false
  }
}
