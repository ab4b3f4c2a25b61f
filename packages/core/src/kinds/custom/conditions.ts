import type { Condition, DeepReadonly } from '../../objects/object.ts'

/** The conditions with one set. It keeps its transition time while its status stays the same. */
export function withCondition(conditions: readonly DeepReadonly<Condition>[], next: Condition): Condition[] {
  const old = conditions.find((condition) => condition.type === next.type)
  const set = old !== undefined && old.status === next.status ? { ...next, lastTransitionTime: old.lastTransitionTime } : next
  return old === undefined ? [...conditions, set] : conditions.map((condition) => (condition === old ? set : condition))
}

export const isTrue = (conditions: readonly DeepReadonly<Condition>[] | undefined, type: string): boolean =>
  conditions?.some((condition) => condition.type === type && condition.status === 'True') === true
