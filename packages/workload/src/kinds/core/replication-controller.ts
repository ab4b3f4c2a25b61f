import { compileLabelSelector, fieldError, validateLabels } from '@continuo/core'
import type { ReplicationController as ReplicationControllerObject } from '../../generated/types/core-v1.ts'
import { checkTemplate } from '../../pod-spec/check-pod-spec.ts'
import { defaultTemplate } from '../../pod-spec/default-pod-spec.ts'
import { checkNotNegative } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table, wide } from '../../table/columns.ts'
import { containerImages, containerNames, labelsCell } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type ReplicationController = ReplicationControllerObject
/** Handle of replicationcontrollers in v1. */
export const ReplicationController = kindOf<ReplicationController>('v1', 'replicationcontrollers')

export const replicationControllerResource = workloadResource(ReplicationController, {
  shortNames: ['rc'],
  categories: ['all'],
  table: table<ReplicationController>(
    nameColumn(),
    integer('Desired', ({ spec }) => spec?.replicas ?? 0),
    integer('Current', ({ status }) => status?.replicas ?? 0),
    integer('Ready', ({ status }) => status?.readyReplicas ?? 0),
    ageColumn(),
    wide('Containers', ({ spec }) => containerNames(spec?.template?.spec?.containers)),
    wide('Images', ({ spec }) => containerImages(spec?.template?.spec?.containers)),
    wide('Selector', ({ spec }) => labelsCell(spec?.selector)),
  ),
  selectableFields: { 'status.replicas': (object) => String((object as unknown as ReplicationController).status?.replicas ?? 0) },
  strategy: strategyOf<ReplicationController>({
    default({ spec, metadata }) {
      if (spec === undefined) return
      const labels = spec.template?.metadata?.labels
      if (labels !== undefined) {
        if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
        if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels }
      }
      spec.replicas ??= 1
      defaultTemplate(spec.template)
    },
    validate({ spec }, errors) {
      checkNotNegative(spec?.replicas, 'spec.replicas', errors)
      checkNotNegative(spec?.minReadySeconds, 'spec.minReadySeconds', errors)
      validateLabels(spec?.selector, 'spec.selector', errors)
      if (Object.keys(spec?.selector ?? {}).length === 0) errors.push(fieldError.required('spec.selector'))
      else if (spec?.template !== undefined && !compileLabelSelector({ matchLabels: spec.selector })(spec.template.metadata?.labels ?? {}))
        errors.push(
          fieldError.invalid(
            'spec.template.metadata.labels',
            spec.template.metadata?.labels ?? null,
            '`selector` does not match template `labels`',
          ),
        )
      checkTemplate(spec?.template, 'spec.template', ['Always'], errors)
    },
  }),
})
