export { type RuntimeDockerConfig, runtimeDockerConfig } from './config.ts'
export { DockerRuntime, type DockerRuntimeOptions } from './docker-runtime.ts'
export { default, runtimeDocker } from './runtime-docker.ts'
