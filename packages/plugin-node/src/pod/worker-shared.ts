import type { Clock, EventRecorder, Log, ObjectClient } from '@continuo/core'
import type { ContainerSpec, Prober, RegistryAuth, Runtime, VolumeObjects } from '@continuo/workload'
import type { EnvironmentInput } from './environment.ts'
import type { PodView } from './model.ts'
import type { SandboxDns } from './pod-dns.ts'
import type { RuntimeView } from './runtime-view.ts'
import type { VolumeManager } from './volume-manager.ts'

/** What workers of all pods of a node share. */
export interface WorkerShared {
  readonly runtime: Runtime
  readonly view: RuntimeView
  readonly volumes: VolumeManager
  readonly client: ObjectClient
  readonly clock: Clock
  readonly log: Log
  readonly events: EventRecorder
  readonly containerLog: ContainerSpec['log']
  readonly refreshMs: number
  nodeIPs(): readonly string[]
  environment(pod: PodView): Pick<EnvironmentInput, 'nodeName' | 'allocatable' | 'services' | 'apiService' | 'source'>
  volumeObjects(pod: PodView): VolumeObjects
  /** What belongs into its `resolv.conf`. */
  dns(pod: PodView): SandboxDns
  /** What the pod's `imagePullSecrets` hold for this image. */
  credentials(pod: PodView, image: string): Promise<RegistryAuth | undefined>
  prober(handler: string): Prober | undefined
}

/** Grace of a pod whose deletion says nothing of its own. Milliseconds. */
export const graceOf = (pod: PodView): number => (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1_000

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
