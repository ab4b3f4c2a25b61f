import { fieldError } from '@continuo/core'
import type { PriorityClass as PriorityClassObject } from '../../generated/types/scheduling-v1.ts'
import { checkImmutable, checkOneOf } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type PriorityClass = PriorityClassObject
/** Handle of priorityclasses in scheduling.k8s.io/v1. */
export const PriorityClass = kindOf<PriorityClass>('scheduling.k8s.io/v1', 'priorityclasses')

/** The two classes that the system brings, and the highest value that anybody else may take. */
const systemClasses: Readonly<Record<string, number>> = { 'system-node-critical': 2_000_001_000, 'system-cluster-critical': 2_000_000_000 }
const highest = 1_000_000_000

export const priorityClassResource = workloadResource(PriorityClass, {
  shortNames: ['pc'],
  table: table<PriorityClass>(
    nameColumn(),
    integer('Value', ({ value }) => value),
    text('Global-Default', ({ globalDefault }) => String(globalDefault ?? false)),
    ageColumn(),
    text('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? 'PreemptLowerPriority'),
  ),
  strategy: strategyOf<PriorityClass>({
    default(priorityClass) {
      priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
    },
    validate({ metadata, value, preemptionPolicy }, errors) {
      if (metadata.name?.startsWith('system-') && systemClasses[metadata.name] !== value)
        errors.push(fieldError.forbidden('metadata.name', "priority class names with 'system-' prefix are reserved for system use only"))
      else if ((value ?? 0) > highest && !metadata.name?.startsWith('system-'))
        errors.push(fieldError.forbidden('value', `maximum allowed value of a user defined priority is ${highest}`))
      checkOneOf(preemptionPolicy, ['PreemptLowerPriority', 'Never'], 'preemptionPolicy', errors)
    },
    validateUpdate(next, old, errors) {
      if (next.value !== old.value) errors.push(fieldError.forbidden('value', 'may not be changed in an update.'))
      checkImmutable(next.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy', errors)
    },
  }),
})
