export { type ClusterSource, defineCluster, type SlotSource } from './cluster-source.ts'
export type { ImportModule } from './import-module.ts'
export { type ClusterConfig, type ClusterSlotConfig, checkCluster, type LoadOptions, loadCluster, slotsFor } from './load-cluster.ts'
