import { compileLabelSelector, type DeepReadonly, type FieldError, fieldError, type LabelSelector, type ObjectMeta } from '@continuo/core'
import { humanDuration } from '@continuo/lib-quantity'
import type { Job as JobObject, JobSpec } from '../../generated/types/batch-v1.ts'
import { checkTemplate } from '../../pod-spec/check-pod-spec.ts'
import { defaultTemplate } from '../../pod-spec/default-pod-spec.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'
import { checkImmutable, checkNotNegative, checkOneOf } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text, wide } from '../../table/columns.ts'
import { containerImages, containerNames, selectorCell } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkFailurePolicy, checkSuccessPolicy } from './check-failure-policy.ts'

export type Job = JobObject
/** Handle of jobs in batch/v1. */
export const Job = kindOf<Job>('batch/v1', 'jobs')

const maxIndexedParallelism = 100_000
const uidLabels = ['batch.kubernetes.io/controller-uid', 'controller-uid'] as const
const nameLabels = ['batch.kubernetes.io/job-name', 'job-name'] as const

export const jobResource = workloadResource(Job, {
  categories: ['all'],
  table: table<Job>(
    nameColumn(),
    text('Status', (job) => jobStatus(job)),
    text('Completions', ({ spec, status }) => {
      const done = status?.succeeded ?? 0
      if (spec?.completions !== undefined) return `${done}/${spec.completions}`
      const parallelism = spec?.parallelism ?? 0
      return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`
    }),
    text('Duration', ({ status }, now) => {
      if (status?.startTime === undefined) return ''
      const end = status.completionTime === undefined ? now : Date.parse(status.completionTime)
      return humanDuration(end - Date.parse(status.startTime))
    }),
    ageColumn(),
    wide('Containers', ({ spec }) => containerNames(spec?.template.spec?.containers)),
    wide('Images', ({ spec }) => containerImages(spec?.template.spec?.containers)),
    wide('Selector', ({ spec }) => selectorCell(spec?.selector)),
  ),
  selectableFields: { 'status.successful': (object) => String((object as unknown as Job).status?.succeeded ?? 0) },
  strategy: strategyOf<Job>({
    default({ spec }) {
      if (spec !== undefined) defaultJobSpec(spec)
    },
    prepareForCreate(job) {
      if (job.spec !== undefined && job.spec.manualSelector !== true) ownPods(job.spec, job.metadata)
    },
    validate: ({ spec }, errors) => {
      const before = errors.length
      checkLabelSelector(spec?.selector, 'spec.selector', errors)
      const isReadable = errors.length === before
      checkJobSpec(spec ?? ({} as JobSpec), 'spec', errors)
      if (spec?.selector === undefined) errors.push(fieldError.required('spec.selector'))
      else if (isReadable && !compileLabelSelector(spec.selector as LabelSelector)(spec.template?.metadata?.labels ?? {}))
        errors.push(
          fieldError.invalid(
            'spec.template.metadata.labels',
            spec.template?.metadata?.labels ?? null,
            '`selector` does not match template `labels`',
          ),
        )
    },
    validateUpdate(next, old, errors, subresource) {
      if (subresource === 'status') return
      checkImmutable(next.spec?.selector, old.spec?.selector, 'spec.selector', errors)
      checkImmutable(next.spec?.completionMode, old.spec?.completionMode, 'spec.completionMode', errors)
      checkImmutable(next.spec?.podFailurePolicy, old.spec?.podFailurePolicy, 'spec.podFailurePolicy', errors)
      if (old.spec?.suspend !== true) checkImmutable(next.spec?.template, old.spec?.template, 'spec.template', errors)
      if (next.spec?.completionMode !== 'Indexed') checkImmutable(next.spec?.completions, old.spec?.completions, 'spec.completions', errors)
    },
  }),
})

/** Fills in the spec of a job, or of a cron job's template. */
export function defaultJobSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'
  defaultTemplate(spec.template)
}

export function checkJobSpec(spec: DeepReadonly<JobSpec>, path: string, errors: FieldError[]): void {
  for (const field of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const)
    checkNotNegative(spec[field], `${path}.${field}`, errors)
  checkOneOf(spec.completionMode, ['NonIndexed', 'Indexed'], `${path}.completionMode`, errors)
  if (spec.completionMode === 'Indexed' && spec.completions === undefined)
    errors.push(fieldError.required(`${path}.completions`, 'when completion mode is Indexed'))
  checkIndexed(spec, path, errors)
  checkFailurePolicy(spec, path, errors)
  if (spec.successPolicy !== undefined) {
    if (spec.completionMode === 'Indexed') checkSuccessPolicy(spec.successPolicy, spec.completions, `${path}.successPolicy`, errors)
    else errors.push(fieldError.invalid(`${path}.successPolicy`, spec.successPolicy, 'requires indexed completion mode'))
  }
  const replacements = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed']
  if (spec.podReplacementPolicy) checkOneOf(spec.podReplacementPolicy, replacements, `${path}.podReplacementPolicy`, errors)
  if (spec.managedBy !== undefined && !/^[^/]+\/.+$/.test(spec.managedBy))
    errors.push(fieldError.invalid(`${path}.managedBy`, spec.managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")'))
  if (spec.template?.spec?.restartPolicy === 'Always')
    errors.push(fieldError.required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'))
  checkTemplate(spec.template, `${path}.template`, ['Always', 'OnFailure', 'Never'], errors)
}

/** An indexed job keeps books about each of its indexes: there is an end to how many. */
function checkIndexed(spec: DeepReadonly<JobSpec>, path: string, errors: FieldError[]): void {
  const { completions, parallelism, backoffLimitPerIndex: perIndex, maxFailedIndexes: failed } = spec
  if (spec.completionMode !== 'Indexed') {
    for (const [field, value] of Object.entries({ backoffLimitPerIndex: perIndex, maxFailedIndexes: failed }))
      if (value !== undefined) errors.push(fieldError.invalid(`${path}.${field}`, value, 'requires indexed completion mode'))
    return
  }
  if (parallelism !== undefined && parallelism > maxIndexedParallelism)
    errors.push(
      fieldError.invalid(
        `${path}.parallelism`,
        parallelism,
        `must be less than or equal to ${maxIndexedParallelism} when completion mode is Indexed`,
      ),
    )
  if (failed === undefined) return
  if (perIndex === undefined) errors.push(fieldError.required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  if (completions !== undefined && failed > completions)
    errors.push(fieldError.invalid(`${path}.maxFailedIndexes`, failed, 'must be less than or equal to completions'))
  if (failed > maxIndexedParallelism)
    errors.push(fieldError.invalid(`${path}.maxFailedIndexes`, failed, `must be less than or equal to ${maxIndexedParallelism}`))
}

/** Labels by which a job finds its pods, and nobody else's. */
function ownPods(spec: JobSpec, { uid = '', name }: ObjectMeta): void {
  const labels = { ...spec.template.metadata?.labels }
  for (const label of uidLabels) labels[label] = uid
  for (const label of nameLabels) labels[label] = name
  spec.template.metadata = { ...spec.template.metadata, labels }
  spec.selector = { ...spec.selector, matchLabels: { ...spec.selector?.matchLabels, [uidLabels[0]]: uid } }
}

function jobStatus({ metadata, spec, status }: DeepReadonly<Job>): string {
  const has = (type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  if (has('Suspended') || spec?.suspend === true) return 'Suspended'
  return ['SuccessCriteriaMet', 'FailureTarget'].find(has) ?? 'Running'
}
