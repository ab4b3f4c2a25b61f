import { type FieldError, fieldError } from '@continuo/core'
import type { CronJob as CronJobObject } from '../../generated/types/batch-v1.ts'
import { scheduleFault } from '../../rules/cron-schedule.ts'
import { timeZoneFault } from '../../rules/time-zone.ts'
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
      else checkSchedule(spec.schedule, errors)
      const zoneFault = spec?.timeZone === undefined ? undefined : timeZoneFault(spec.timeZone)
      if (zoneFault !== undefined) errors.push(fieldError.invalid('spec.timeZone', spec?.timeZone, zoneFault))
      for (const field of ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'] as const)
        checkNotNegative(spec?.[field], `spec.${field}`, errors)
      checkOneOf(spec?.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy', errors)
      if (spec?.jobTemplate?.spec === undefined) errors.push(fieldError.required('spec.jobTemplate.spec'))
      else checkJobSpec(spec.jobTemplate.spec, 'spec.jobTemplate.spec', errors)
      const { selector, manualSelector } = spec?.jobTemplate?.spec ?? {}
      if (selector !== undefined)
        errors.push(fieldError.invalid('spec.jobTemplate.spec.selector', selector, '`selector` will be auto-generated'))
      if (manualSelector === true)
        errors.push(fieldError.notSupported('spec.jobTemplate.spec.manualSelector', manualSelector, ['nil', 'false']))
      // Eleven characters are added to make the names of its jobs.
      if ((metadata.name ?? '').length > 52)
        errors.push(fieldError.invalid('metadata.name', metadata.name, 'must be no more than 52 characters'))
    },
  }),
})

/** A zone inside the schedule was never promised to work: `timeZone` says it. */
function checkSchedule(schedule: string, errors: FieldError[]): void {
  if (/^(CRON_)?TZ=/.test(schedule.trim())) {
    errors.push(fieldError.invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'))
    return
  }
  const fault = scheduleFault(schedule)
  if (fault !== undefined) errors.push(fieldError.invalid('spec.schedule', schedule, fault))
}
