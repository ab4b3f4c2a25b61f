import type { DeepReadonly } from '@continuo/core'
import type { PodSpec, PriorityClass } from '@continuo/workload'

type Class = DeepReadonly<PriorityClass>

export interface Priority {
  /** Empty when no class applies. */
  readonly className: string
  readonly value: number
  readonly preemptionPolicy: NonNullable<PodSpec['preemptionPolicy']>
}

const rankOf = ({ value }: Class): number => value ?? 0

/** The class that pods without one get; of several, which a race may leave behind, the lowest. */
export const defaultClass = (classes: readonly Class[]): Class | undefined =>
  classes.reduce<Class | undefined>(
    (least, each) => (each.globalDefault === true && (least === undefined || rankOf(each) < rankOf(least)) ? each : least),
    undefined,
  )

/** The priority of a pod that names this class, or none; `undefined` when there is no such class. Pure. */
export function resolvePriority(className: string, classes: readonly Class[]): Priority | undefined {
  const found = className === '' ? defaultClass(classes) : classes.find(({ metadata }) => metadata.name === className)
  if (found === undefined) return className === '' ? { className, value: 0, preemptionPolicy: 'PreemptLowerPriority' } : undefined
  return { className: found.metadata.name, value: rankOf(found), preemptionPolicy: found.preemptionPolicy ?? 'PreemptLowerPriority' }
}
