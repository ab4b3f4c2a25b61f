export {
  checkHost,
  type HostCheck,
  type HostCheckInput,
} from './check-host.ts'
export { type CheckedSlot, rolesOf, type SlotSpec } from './checked-slot.ts'
export { type Health, HealthCap, type HealthResult } from './health.ts'
export {
  createHost,
  type Host,
  type HostOptions,
  type HostStatus,
  type Inherited,
} from './host.ts'
export {
  formatPlan,
  type Plan,
  type PlannedCapability,
  type PlannedPlugin,
  type PlannedRequirement,
  planToMermaid,
} from './plan.ts'
export { CheckError, formatProblem, type Problem } from './problem.ts'
