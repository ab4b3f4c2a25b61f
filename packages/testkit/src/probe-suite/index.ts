export { type BrokenProber, brokenProbers, openReferenceProber, referenceProber } from './broken-probers.ts'
export { type OpenedProber, type ProbeCheck, type ProbeScenario, runProbeCheck } from './probe-check.ts'
export { probeChecks, probeSuite } from './probe-suite.ts'
