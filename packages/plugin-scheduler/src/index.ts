export { schedulerConfig, type SchedulerConfig } from './config.ts'
export { scheduler, scheduler as default } from './scheduler.ts'
