import { type DeepReadonly, parseTime } from '@continuo/core'
import type { Taint, Toleration } from '@continuo/workload'
import type { PodView } from '../pods/pod-state.ts'

const tolerates = (toleration: DeepReadonly<Toleration>, taint: DeepReadonly<Taint>): boolean => {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  if (toleration.operator === 'Exists') return true
  return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '')
}

/**
 * The moment in wall milliseconds at which a pod has to leave a node with these taints: at once (0) when it does not tolerate one of them,
 * after the shortest time that it tolerates one, never (undefined) when it tolerates all for good.
 */
export function evictionTime(pod: PodView, taints: readonly DeepReadonly<Taint>[]): number | undefined {
  let earliest: number | undefined
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue
    const matching = (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint))
    if (matching.length === 0) return 0
    const seconds = matching.flatMap(({ tolerationSeconds }) => (tolerationSeconds === undefined ? [] : [Math.max(0, tolerationSeconds)]))
    if (seconds.length === 0) continue
    const due = parseTime(taint.timeAdded ?? '') + Math.min(...seconds) * 1000
    if (Number.isNaN(due)) return 0
    if (earliest === undefined || due < earliest) earliest = due
  }
  return earliest
}
