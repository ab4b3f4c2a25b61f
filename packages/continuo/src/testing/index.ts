export { createSeededRandom, createVirtualClock, type SimulatedProgram, SimulatedRuntime, type VirtualClock } from '@continuo/testkit'
export { startTestCluster, type TestCluster, type TestClusterOptions } from './test-cluster.ts'
