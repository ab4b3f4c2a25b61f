export { startTestCluster, type TestCluster, type TestClusterOptions } from './test-cluster.ts'
export { createVirtualClock, createSeededRandom, SimulatedRuntime, type SimulatedProgram, type VirtualClock } from '@continuo/testkit'
