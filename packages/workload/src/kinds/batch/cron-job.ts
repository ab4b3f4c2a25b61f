import { fieldError } from '@continuo/core'
import type { CronJob as CronJobObject } from '../../generated/types/batch-v1.ts'
import { checkNotNegative, checkOneOf } from '../../rules/values.ts'
import { age, ageColumn, integer, nameColumn, orNone, table, text, wide } from '../../table/columns.ts'
import { containerImages, containerNames, selectorCell } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkJobSpec, defaultJobSpec } from './job.ts'

export type CronJob = CronJobObject
/** Handle of cronjobs in batch/v1. */
export const CronJob = kindOf<CronJob>('batch/v1', 'cronjobs')

/** Five fields, or one of the names for common schedules. */
const schedule = /^(@(yearly|annually|monthly|weekly|daily|midnight|hourly|every .+)|(\S+\s+){4}\S+)$/

export const cronJobResource = workloadResource(CronJob, {
  shortNames: ['cj'],
  categories: ['all'],
  table: table<CronJob>(
    nameColumn(),
    text('Schedule', ({ spec }) => spec?.schedule ?? ''),
    text('Timezone', ({ spec }) => orNone(spec?.timeZone)),
    text('Suspend', ({ spec }) => (spec?.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False')),
    integer('Active', ({ status }) => status?.active?.length ?? 0),
    text('Last Schedule', ({ status }, now) => (status?.lastScheduleTime === undefined ? '<none>' : age(status.lastScheduleTime, now))),
    ageColumn(),
    wide('Containers', ({ spec }) => containerNames(spec?.jobTemplate.spec?.template.spec?.containers)),
    wide('Images', ({ spec }) => containerImages(spec?.jobTemplate.spec?.template.spec?.containers)),
    wide('Selector', ({ spec }) => selectorCell(spec?.jobTemplate.spec?.selector)),
  ),
  strategy: strategyOf<CronJob>({
    default({ spec }) {
      if (spec === undefined) return
      spec.concurrencyPolicy ||= 'Allow'
      spec.suspend ??= false
      spec.successfulJobsHistoryLimit ??= 3
      spec.failedJobsHistoryLimit ??= 1
      if (spec.jobTemplate?.spec !== undefined) defaultJobSpec(spec.jobTemplate.spec)
    },
    validate({ spec, metadata }, errors) {
      if (!spec?.schedule) errors.push(fieldError.required('spec.schedule'))
      else if (!schedule.test(spec.schedule.replace(/^(TZ|CRON_TZ)=\S+\s+/, '')))
        errors.push(fieldError.invalid('spec.schedule', spec.schedule, 'expected exactly 5 fields'))
      for (const field of ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'] as const)
        checkNotNegative(spec?.[field], `spec.${field}`, errors)
      checkOneOf(spec?.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy', errors)
      if (spec?.jobTemplate?.spec === undefined) errors.push(fieldError.required('spec.jobTemplate.spec'))
      else checkJobSpec(spec.jobTemplate.spec, 'spec.jobTemplate.spec', errors)
      // Eleven characters are added to make the names of its jobs.
      if ((metadata.name ?? '').length > 52)
        errors.push(fieldError.invalid('metadata.name', metadata.name, 'must be no more than 52 characters'))
    },
  }),
})
