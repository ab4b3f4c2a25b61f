import { fieldError } from '@continuo/core'
import type { PodDisruptionBudget as PodDisruptionBudgetObject } from '../../generated/types/policy-v1.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'
import { checkCountOrPercent } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type PodDisruptionBudget = PodDisruptionBudgetObject
/** Handle of poddisruptionbudgets in policy/v1. */
export const PodDisruptionBudget = kindOf<PodDisruptionBudget>('policy/v1', 'poddisruptionbudgets')

export const podDisruptionBudgetResource = workloadResource(PodDisruptionBudget, {
  shortNames: ['pdb'],
  table: table<PodDisruptionBudget>(
    nameColumn(),
    text('Min Available', ({ spec }) => String(spec?.minAvailable ?? 'N/A')),
    text('Max Unavailable', ({ spec }) => String(spec?.maxUnavailable ?? 'N/A')),
    integer('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed ?? 0),
    ageColumn(),
  ),
  strategy: strategyOf<PodDisruptionBudget>({
    prepareForCreate(budget) {
      budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
    },
    validate({ spec }, errors) {
      if (spec?.minAvailable !== undefined && spec.maxUnavailable !== undefined)
        errors.push(fieldError.invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
      if (spec?.minAvailable !== undefined) checkCountOrPercent(spec.minAvailable, 'spec.minAvailable', errors)
      if (spec?.maxUnavailable !== undefined) checkCountOrPercent(spec.maxUnavailable, 'spec.maxUnavailable', errors)
      checkLabelSelector(spec?.selector, 'spec.selector', errors)
      const policy = spec?.unhealthyPodEvictionPolicy
      if (policy !== undefined && policy !== 'IfHealthyBudget' && policy !== 'AlwaysAllow')
        errors.push(fieldError.notSupported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget']))
    },
  }),
})
