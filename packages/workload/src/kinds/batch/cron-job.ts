import type { CronJob as CronJobObject } from '../../generated/types/batch-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type CronJob = CronJobObject
/** Handle of cronjobs in batch/v1. */
export const CronJob = kindOf<CronJob>('batch/v1', 'cronjobs')

export const cronJobResource = workloadResource(CronJob)
