import { kind } from '@continuo/core'
import type { NodeMetrics as NodeMetricsObject } from '../../generated/types/metrics-v1beta1.ts'
import { nameColumn, table, text } from '../../table/columns.ts'
import { measuredResource } from './measured-resource.ts'

export type NodeMetrics = NodeMetricsObject
/** Handle of nodes in metrics.k8s.io/v1beta1: what each node uses, computed when it is read. */
export const NodeMetrics = kind<NodeMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'NodeMetrics',
  resource: 'nodes',
  namespaced: false,
})

export const nodeMetricsResource = measuredResource(
  NodeMetrics,
  table<NodeMetrics>(
    nameColumn(),
    text('CPU', ({ usage }) => usage?.cpu ?? ''),
    text('Memory', ({ usage }) => usage?.memory ?? ''),
    text('Window', ({ window }) => window ?? ''),
  ),
)
