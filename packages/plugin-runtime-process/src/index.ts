export { type RuntimeProcessConfig, runtimeProcessConfig } from './config.ts'
export {
  ProcessRuntime,
  type ProcessRuntimeOptions,
} from './process-runtime.ts'
export { default, runtimeProcess } from './runtime-process.ts'
