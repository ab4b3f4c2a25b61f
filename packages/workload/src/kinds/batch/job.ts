import type { Job as JobObject } from '../../generated/types/batch-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type Job = JobObject
/** Handle of jobs in batch/v1. */
export const Job = kindOf<Job>('batch/v1', 'jobs')

export const jobResource = workloadResource(Job)
