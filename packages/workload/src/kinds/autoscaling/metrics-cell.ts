import type { DeepReadonly } from '@continuo/core'
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../../generated/types/autoscaling-v2.ts'

const maxShown = 2

/** What an autoscaler steers by: `cpu: 12%/80%`, `<unknown>` before the first measurement. */
export function formatMetrics({ spec, status }: DeepReadonly<HorizontalPodAutoscaler>): string {
  const cells = (spec?.metrics ?? []).map((metric, index) => formatMetric(metric, status?.currentMetrics?.[index]))
  if (cells.length === 0) return '<none>'
  return cells.length <= maxShown ? cells.join(', ') : `${cells.slice(0, maxShown).join(', ')} + ${cells.length - maxShown} more...`
}

function formatMetric(metric: DeepReadonly<MetricSpec>, current: DeepReadonly<MetricStatus> | undefined): string {
  switch (metric.type) {
    case 'Resource':
      return `${metric.resource?.name}: ${pair(metric.resource?.target, current?.resource?.current)}`
    case 'ContainerResource':
      return `${metric.containerResource?.name}: ${pair(metric.containerResource?.target, current?.containerResource?.current)}`
    case 'Pods':
      return pair(metric.pods?.target, current?.pods?.current)
    case 'Object':
      return pair(metric.object?.target, current?.object?.current)
    case 'External':
      return `${pair(metric.external?.target, current?.external?.current)}${metric.external?.target.averageValue === undefined ? '' : ' (avg)'}`
    default:
      return '<unknown type>'
  }
}

function pair(target: DeepReadonly<MetricTarget> | undefined, current: DeepReadonly<MetricValueStatus> | undefined): string {
  if (target?.averageUtilization !== undefined)
    return `${current?.averageUtilization === undefined ? '<unknown>' : `${current.averageUtilization}%`}/${target.averageUtilization}%`
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? '<unknown>'}/${target.averageValue}`
  return `${current?.value ?? '<unknown>'}/${target?.value ?? '<unset>'}`
}
