export { type BrokenClient, brokenClients } from './broken-clients.ts'
export { type ClientBench, type ClientCheck, type OpenedClient, runClientCheck } from './client-check.ts'
export { clientChecks, objectClientSuite } from './client-suite.ts'
export { Gauge, gaugeResource } from './gauge.ts'
