export { type BrokenPodNetwork, brokenPodNetworks, openSimulatedPodNetwork } from './broken-pod-networks.ts'
export { type OpenedPodNetwork, type PodNetworkCheck, runPodNetworkCheck } from './pod-network-check.ts'
export { podNetworkChecks, podNetworkSuite } from './pod-network-suite.ts'
export { type SimulatedHost, SimulatedPodNetwork } from './simulated-pod-network.ts'
