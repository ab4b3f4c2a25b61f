import { compileLabelSelector, type DeepReadonly, formatTime, type LabelSelector, parseTime } from '@continuo/core'
import { scaledValue } from '@continuo/lib-quantity'
import type { PodDisruptionBudget } from '@continuo/workload'
import { hasEnded, isReady, isTerminating, type PodView } from '../pods/pod-state.ts'

export type BudgetView = DeepReadonly<PodDisruptionBudget>
/** A status in which every figure stands. */
type BudgetStatus = NonNullable<PodDisruptionBudget['status']> & {
  readonly currentHealthy: number
  readonly desiredHealthy: number
  readonly disruptionsAllowed: number
}

/** An eviction that was granted counts this long, until its pod is seen to go. */
const grantedMs = 120_000

/** The budgets of a namespace that hold a pod. */
export const budgetsOf = (budgets: readonly BudgetView[], pod: PodView): readonly BudgetView[] =>
  budgets.filter(({ spec }) => spec?.selector !== undefined && matches(spec.selector, pod))

const matches = (selector: DeepReadonly<LabelSelector>, pod: PodView): boolean =>
  compileLabelSelector(selector as LabelSelector)(pod.metadata.labels)

/** The pods that a budget counts: those that it selects and that have not ended. */
export const podsOfBudget = ({ spec }: BudgetView, pods: readonly PodView[]): readonly PodView[] =>
  spec?.selector === undefined ? [] : pods.filter((pod) => !hasEnded(pod) && matches(spec.selector as LabelSelector, pod))

/**
 * What a budget allows now (`pkg/controller/disruption`). Pure. `wanted` is how many pods their controllers want, for shares and for
 * `maxUnavailable`; undefined when a pod has no controller that says so, and then nothing may be disrupted where it would count.
 */
export function budgetStatus(budget: BudgetView, pods: readonly PodView[], wanted: number | undefined, now: number): BudgetStatus {
  const { minAvailable, maxUnavailable } = budget.spec ?? {}
  const disrupted = Object.fromEntries(
    Object.entries(budget.status?.disruptedPods ?? {}).filter(
      ([name, since]) => parseTime(since) + grantedMs > now && pods.some((pod) => pod.metadata.name === name && !isTerminating(pod)),
    ),
  )
  const healthy = pods.filter((pod) => isReady(pod) && !isTerminating(pod) && disrupted[pod.metadata.name] === undefined).length
  const { expected, desired } = limits(minAvailable, maxUnavailable, pods.length, wanted)
  return {
    ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: disrupted }),
    currentHealthy: healthy,
    desiredHealthy: desired,
    disruptionsAllowed: expected === 0 ? 0 : Math.max(0, healthy - desired),
    expectedPods: expected,
    observedGeneration: budget.metadata.generation ?? 0,
  }
}

function limits(
  minAvailable: number | string | undefined,
  maxUnavailable: number | string | undefined,
  selected: number,
  wanted: number | undefined,
): { readonly expected: number; readonly desired: number } {
  if (typeof minAvailable === 'number') return { expected: selected, desired: minAvailable }
  // Nobody knows how many there shall be: all of those that there are must stay.
  if (wanted === undefined) return { expected: selected, desired: selected }
  if (maxUnavailable !== undefined) return { expected: wanted, desired: Math.max(0, wanted - scaledValue(maxUnavailable, wanted, 'up')) }
  return { expected: wanted, desired: minAvailable === undefined ? wanted : scaledValue(minAvailable, wanted, 'up') }
}

/** The status after one more pod was granted to go. */
export const withGranted = (status: BudgetStatus, pod: string, now: number): BudgetStatus => ({
  ...status,
  disruptionsAllowed: status.disruptionsAllowed - 1,
  disruptedPods: { ...status.disruptedPods, [pod]: formatTime(now) },
})

/** A pod that does not serve anyway may go without asking its budget: it has ended, has not begun, or is going already. */
export const goesUnasked = (pod: PodView): boolean => hasEnded(pod) || isTerminating(pod) || (pod.status?.phase ?? 'Pending') === 'Pending'

/** Whether a running pod that is not ready may go although the budget is used up. */
export const unhealthyMayGo = ({ spec }: BudgetView, { currentHealthy, desiredHealthy }: BudgetStatus): boolean =>
  spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' || (desiredHealthy > 0 && currentHealthy >= desiredHealthy)
