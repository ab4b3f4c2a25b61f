import { fieldError } from '@continuo/core'
import type { ReplicaSet as ReplicaSetObject, ReplicaSetStatus } from '../../generated/types/apps-v1.ts'
import { checkTemplate } from '../../pod-spec/check-pod-spec.ts'
import { defaultTemplate } from '../../pod-spec/default-pod-spec.ts'
import { checkOwnSelector } from '../../rules/selectors.ts'
import { checkImmutable, checkNotNegative } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table, wide } from '../../table/columns.ts'
import { containerImages, containerNames, selectorCell } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type ReplicaSet = ReplicaSetObject
/** Handle of replicasets in apps/v1. */
export const ReplicaSet = kindOf<ReplicaSet>('apps/v1', 'replicasets')

const counts = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const satisfies readonly (keyof ReplicaSetStatus)[]

export const replicaSetResource = workloadResource(ReplicaSet, {
  shortNames: ['rs'],
  categories: ['all'],
  table: table<ReplicaSet>(
    nameColumn(),
    integer('Desired', ({ spec }) => spec?.replicas ?? 0),
    integer('Current', ({ status }) => status?.replicas ?? 0),
    integer('Ready', ({ status }) => status?.readyReplicas ?? 0),
    ageColumn(),
    wide('Containers', ({ spec }) => containerNames(spec?.template?.spec?.containers)),
    wide('Images', ({ spec }) => containerImages(spec?.template?.spec?.containers)),
    wide('Selector', ({ spec }) => selectorCell(spec?.selector)),
  ),
  selectableFields: { 'status.replicas': (object) => String((object as unknown as ReplicaSet).status?.replicas ?? 0) },
  strategy: strategyOf<ReplicaSet>({
    default({ spec }) {
      if (spec === undefined) return
      spec.replicas ??= 1
      defaultTemplate(spec.template)
    },
    prepareForCreate(next) {
      next.status = { replicas: 0 }
    },
    validate({ spec }, errors) {
      checkNotNegative(spec?.replicas, 'spec.replicas', errors)
      checkNotNegative(spec?.minReadySeconds, 'spec.minReadySeconds', errors)
      checkOwnSelector(spec?.selector, spec?.template?.metadata?.labels, 'replicaset', errors)
      checkTemplate(spec?.template, 'spec.template', ['Always'], errors)
    },
    validateUpdate(next, old, errors, subresource) {
      if (subresource !== 'status') return checkImmutable(next.spec?.selector, old.spec?.selector, 'spec.selector', errors)
      const total = next.status?.replicas ?? 0
      checkNotNegative(next.status?.replicas, 'status.replicas', errors)
      for (const name of counts) {
        checkNotNegative(next.status?.[name], `status.${name}`, errors)
        if ((next.status?.[name] ?? 0) > total)
          errors.push(fieldError.invalid(`status.${name}`, next.status?.[name], 'cannot be greater than status.replicas'))
      }
    },
  }),
})
