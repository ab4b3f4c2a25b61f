import { capability } from '@continuo/core'
import type { NodeMetrics, PodMetrics } from '../generated/types/metrics-v1beta1.ts'

/**
 * Measures what nodes and pods use. With a provider, metrics.k8s.io/v1beta1 is served (`kubectl top`, autoscalers); without, it is not.
 * Asked for each request: it answers from what it measured last, in no more than some milliseconds, and leaves out what it has not
 * measured yet. Each answer has a name (pods a namespace), the labels of the object that it is about, `timestamp`, `window` and `usage`
 * of `cpu` (cores) and `memory` (bytes of the working set).
 */
export interface MetricsSource {
  nodes(): Promise<readonly NodeMetrics[]>
  node(name: string): Promise<NodeMetrics | undefined>
  /** Pods of a namespace, of all for the empty one. */
  pods(namespace: string): Promise<readonly PodMetrics[]>
  pod(namespace: string, name: string): Promise<PodMetrics | undefined>
}

export const MetricsSourceCap = capability<MetricsSource>('metrics-source/v1')
