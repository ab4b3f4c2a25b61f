import type { DaemonSet as DaemonSetObject } from '../../generated/types/apps-v1.ts'
import { checkTemplate } from '../../pod-spec/check-pod-spec.ts'
import { defaultTemplate } from '../../pod-spec/default-pod-spec.ts'
import { checkOwnSelector } from '../../rules/selectors.ts'
import { checkCountOrPercent, checkImmutable, checkNotNegative, checkOneOf } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table, text, wide } from '../../table/columns.ts'
import { containerImages, containerNames, labelsCell, selectorCell } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type DaemonSet = DaemonSetObject
/** Handle of daemonsets in apps/v1. */
export const DaemonSet = kindOf<DaemonSet>('apps/v1', 'daemonsets')

export const daemonSetResource = workloadResource(DaemonSet, {
  shortNames: ['ds'],
  categories: ['all'],
  table: table<DaemonSet>(
    nameColumn(),
    integer('Desired', ({ status }) => status?.desiredNumberScheduled ?? 0),
    integer('Current', ({ status }) => status?.currentNumberScheduled ?? 0),
    integer('Ready', ({ status }) => status?.numberReady ?? 0),
    integer('Up-to-date', ({ status }) => status?.updatedNumberScheduled ?? 0),
    integer('Available', ({ status }) => status?.numberAvailable ?? 0),
    text('Node Selector', ({ spec }) => labelsCell(spec?.template.spec?.nodeSelector)),
    ageColumn(),
    wide('Containers', ({ spec }) => containerNames(spec?.template.spec?.containers)),
    wide('Images', ({ spec }) => containerImages(spec?.template.spec?.containers)),
    wide('Selector', ({ spec }) => selectorCell(spec?.selector)),
  ),
  strategy: strategyOf<DaemonSet>({
    default({ spec }) {
      if (spec === undefined) return
      spec.updateStrategy ??= {}
      spec.updateStrategy.type ||= 'RollingUpdate'
      if (spec.updateStrategy.type === 'RollingUpdate') {
        spec.updateStrategy.rollingUpdate ??= {}
        spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
        spec.updateStrategy.rollingUpdate.maxSurge ??= 0
      }
      spec.revisionHistoryLimit ??= 10
      defaultTemplate(spec.template)
    },
    validate({ spec }, errors) {
      checkOwnSelector(spec?.selector, spec?.template?.metadata?.labels, 'daemonset', errors)
      checkTemplate(spec?.template, 'spec.template', ['Always'], errors)
      checkNotNegative(spec?.minReadySeconds, 'spec.minReadySeconds', errors)
      checkNotNegative(spec?.revisionHistoryLimit, 'spec.revisionHistoryLimit', errors)
      checkOneOf(spec?.updateStrategy?.type, ['RollingUpdate', 'OnDelete'], 'spec.updateStrategy.type', errors)
      const rolling = spec?.updateStrategy?.rollingUpdate
      if (rolling?.maxUnavailable !== undefined)
        checkCountOrPercent(rolling.maxUnavailable, 'spec.updateStrategy.rollingUpdate.maxUnavailable', errors)
      if (rolling?.maxSurge !== undefined) checkCountOrPercent(rolling.maxSurge, 'spec.updateStrategy.rollingUpdate.maxSurge', errors)
    },
    validateUpdate: (next, old, errors) => checkImmutable(next.spec?.selector, old.spec?.selector, 'spec.selector', errors),
  }),
})
