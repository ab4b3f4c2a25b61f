import { type DeepReadonly, fieldError, jsonEqual } from '@continuo/core'
import type { StatefulSet as StatefulSetObject } from '../../generated/types/apps-v1.ts'
import { checkTemplate } from '../../pod-spec/check-pod-spec.ts'
import { defaultTemplate } from '../../pod-spec/default-pod-spec.ts'
import { checkOwnSelector } from '../../rules/selectors.ts'
import { checkNotNegative, checkOneOf } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text, wide } from '../../table/columns.ts'
import { containerImages, containerNames } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type StatefulSet = StatefulSetObject
/** Handle of statefulsets in apps/v1. */
export const StatefulSet = kindOf<StatefulSet>('apps/v1', 'statefulsets')

/** Fields of the spec that an update may change. */
const mutable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const

export const statefulSetResource = workloadResource(StatefulSet, {
  shortNames: ['sts'],
  categories: ['all'],
  table: table<StatefulSet>(
    nameColumn(),
    text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    ageColumn(),
    wide('Containers', ({ spec }) => containerNames(spec?.template.spec?.containers)),
    wide('Images', ({ spec }) => containerImages(spec?.template.spec?.containers)),
  ),
  strategy: strategyOf<StatefulSet>({
    default({ spec }) {
      if (spec === undefined) return
      spec.podManagementPolicy ??= 'OrderedReady'
      spec.updateStrategy ??= {}
      spec.updateStrategy.type ||= 'RollingUpdate'
      if (spec.updateStrategy.type === 'RollingUpdate') {
        spec.updateStrategy.rollingUpdate ??= {}
        spec.updateStrategy.rollingUpdate.partition ??= 0
      }
      spec.persistentVolumeClaimRetentionPolicy ??= {}
      spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
      spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
      spec.replicas ??= 1
      spec.revisionHistoryLimit ??= 10
      defaultTemplate(spec.template)
      for (const claim of spec.volumeClaimTemplates ?? []) {
        if (claim.spec !== undefined) claim.spec.volumeMode ??= 'Filesystem'
        claim.status ??= { phase: 'Pending' }
      }
    },
    validate({ spec }, errors) {
      checkOneOf(spec?.podManagementPolicy, ['OrderedReady', 'Parallel'], 'spec.podManagementPolicy', errors)
      checkOneOf(spec?.updateStrategy?.type, ['RollingUpdate', 'OnDelete'], 'spec.updateStrategy.type', errors)
      const { type, rollingUpdate } = spec?.updateStrategy ?? {}
      if (type === 'OnDelete' && rollingUpdate !== undefined)
        errors.push(
          fieldError.invalid('spec.updateStrategy.rollingUpdate', rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"),
        )
      for (const field of ['whenDeleted', 'whenScaled'] as const)
        checkOneOf(
          spec?.persistentVolumeClaimRetentionPolicy?.[field],
          ['Delete', 'Retain'],
          `spec.persistentVolumeClaimRetentionPolicy.${field}`,
          errors,
        )
      checkNotNegative(spec?.updateStrategy?.rollingUpdate?.partition, 'spec.updateStrategy.rollingUpdate.partition', errors)
      checkNotNegative(spec?.replicas, 'spec.replicas', errors)
      checkNotNegative(spec?.minReadySeconds, 'spec.minReadySeconds', errors)
      checkNotNegative(spec?.ordinals?.start, 'spec.ordinals.start', errors)
      checkOwnSelector(spec?.selector, spec?.template?.metadata?.labels, 'statefulset', errors)
      checkTemplate(spec?.template, 'spec.template', ['Always'], errors)
    },
    validateUpdate(next, old, errors, subresource) {
      if (subresource === 'status' || jsonEqual(frozen(next), frozen(old))) return
      const shown = mutable.map((field) => `'${field}'`)
      errors.push(
        fieldError.forbidden(
          'spec',
          `updates to statefulset spec for fields other than ${shown.slice(0, -1).join(', ')} and ${shown.at(-1)} are forbidden`,
        ),
      )
    },
  }),
})

const frozen = ({ spec }: DeepReadonly<StatefulSet>): unknown =>
  Object.fromEntries(Object.entries(spec ?? {}).filter(([field]) => !(mutable as readonly string[]).includes(field)))
