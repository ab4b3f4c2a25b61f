export { type ContainerRecord, containerState, type Evidence } from './container-state.ts'
export { firstSize } from './first-size.ts'
export { isAlive, type ProcessIdentity, type ProcessStat, parseProcessStat, readBootId, readProcessStat } from './process-identity.ts'
export { RunningContainers } from './running-containers.ts'
export { RuntimeEvents } from './runtime-events.ts'
export { prepareShim, shimFolder } from './shim-binary.ts'
export { attachContainer, execInContainer, type ProcessEnd, signalContainer, signalNumber } from './shim-connection.ts'
export {
  encodeSpec,
  isCleanText,
  parseExit,
  parseStart,
  type ShimExit,
  type ShimMount,
  type ShimSpec,
  type ShimStart,
} from './shim-spec.ts'
export { startShim } from './start-shim.ts'
export { Turns } from './turns.ts'
