export { type BrokenRuntime, brokenRuntimes } from './broken-runtimes.ts'
export { type OpenedRuntime, type RuntimeCheck, type RuntimeSuiteProgram, runRuntimeCheck } from './runtime-check.ts'
export { runtimeChecks, runtimeSuite } from './runtime-suite.ts'
export { openSimulatedRuntime } from './simulated-opening.ts'
