export { OciRuntime, type OciRuntimeOptions } from './oci-runtime.ts'
export { runtimeOci, runtimeOci as default } from './runtime-oci.ts'
