export { type SchedulerConfig, schedulerConfig } from './config.ts'
export { scheduler, scheduler as default } from './scheduler.ts'
