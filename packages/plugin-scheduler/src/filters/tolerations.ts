import type { DeepReadonly } from '@continuo/core'
import type { Taint, Toleration } from '@continuo/workload'

/** True when the toleration covers the taint: an empty effect matches all, an empty key with `Exists` everything. */
export function tolerates(toleration: DeepReadonly<Toleration>, taint: DeepReadonly<Taint>): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  const key = toleration.key ?? ''
  if (key !== '' && key !== taint.key) return false
  if (toleration.operator === 'Exists') return true
  return key !== '' && (toleration.value ?? '') === (taint.value ?? '')
}

/** The first of the node's taints with one of these effects that no toleration covers. */
export const untolerated = (
  taints: readonly DeepReadonly<Taint>[] | undefined,
  tolerations: readonly DeepReadonly<Toleration>[] | undefined,
  effects: readonly string[],
): DeepReadonly<Taint> | undefined =>
  taints?.find((taint) => effects.includes(taint.effect) && !(tolerations?.some((toleration) => tolerates(toleration, taint)) ?? false))
