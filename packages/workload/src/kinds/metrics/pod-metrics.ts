import { kind } from '@continuo/core'
import { addQuantities, formatQuantity } from '@continuo/lib-quantity'
import type { PodMetrics as PodMetricsObject } from '../../generated/types/metrics-v1beta1.ts'
import { nameColumn, table, text } from '../../table/columns.ts'
import { measuredResource } from './measured-resource.ts'

export type PodMetrics = PodMetricsObject
/** Handle of pods in metrics.k8s.io/v1beta1: what the containers of each pod use, computed when it is read. */
export const PodMetrics = kind<PodMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  resource: 'pods',
  namespaced: true,
})

const sum = (containers: Readonly<PodMetrics['containers']> | undefined, resource: string): string =>
  formatQuantity(
    (containers ?? []).map(({ usage }) => usage[resource] ?? '0').reduce((total, one) => formatQuantity(addQuantities(total, one)), '0'),
  )

export const podMetricsResource = measuredResource(
  PodMetrics,
  table<PodMetrics>(
    nameColumn(),
    text('CPU', ({ containers }) => sum(containers as PodMetrics['containers'], 'cpu')),
    text('Memory', ({ containers }) => sum(containers as PodMetrics['containers'], 'memory')),
    text('Window', ({ window }) => window ?? ''),
  ),
)
