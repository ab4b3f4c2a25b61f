import { type DeepReadonly, type FieldError, fieldError, type ObjectMeta } from '@continuo/core'
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

export type Job = JobObject
/** Handle of jobs in batch/v1. */
export const Job = kindOf<Job>('batch/v1', 'jobs')

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
      checkLabelSelector(spec?.selector, 'spec.selector', errors)
      checkJobSpec(spec ?? ({} as JobSpec), 'spec', errors)
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
  if (spec.template?.spec?.restartPolicy === 'Always')
    errors.push(fieldError.required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'))
  checkTemplate(spec.template, `${path}.template`, ['Always', 'OnFailure', 'Never'], errors)
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
