import { type DeepReadonly, defineResource, fieldError, type UnstructuredObject } from '@continuo/core'
import type { HorizontalPodAutoscaler as AutoscalerV1 } from '../../generated/types/autoscaling-v1.ts'
import type {
  HorizontalPodAutoscaler as HorizontalPodAutoscalerObject,
  MetricSpec,
  MetricStatus,
} from '../../generated/types/autoscaling-v2.ts'
import { checkPositive } from '../../rules/values.ts'
import { schemaOf } from '../../schema/schema-of.ts'
import { ageColumn, integer, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { statusSubresource } from '../status.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkBehavior, checkMetrics, checkReference } from './check-metrics.ts'
import { formatMetrics } from './metrics-cell.ts'

export type HorizontalPodAutoscaler = HorizontalPodAutoscalerObject
/** Handle of horizontalpodautoscalers in autoscaling/v2. */
export const HorizontalPodAutoscaler = kindOf<HorizontalPodAutoscaler>('autoscaling/v2', 'horizontalpodautoscalers')

const defaultUtilization = 80

const preferred = workloadResource(HorizontalPodAutoscaler, {
  shortNames: ['hpa'],
  categories: ['all'],
  table: table<HorizontalPodAutoscaler>(
    nameColumn(),
    text('Reference', ({ spec }) => (spec === undefined ? '' : `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`)),
    text('Targets', (autoscaler) => formatMetrics(autoscaler)),
    text('MinPods', ({ spec }) => String(spec?.minReplicas ?? '<unset>')),
    integer('MaxPods', ({ spec }) => spec?.maxReplicas ?? 0),
    integer('Replicas', ({ status }) => status?.currentReplicas ?? 0),
    ageColumn(),
  ),
  strategy: strategyOf<HorizontalPodAutoscaler>({
    default({ apiVersion, spec }) {
      if (spec === undefined) return
      spec.minReplicas ??= 1
      // The older version says the same in a field of its own, and gets the default when it is converted.
      if ((apiVersion as string) === 'autoscaling/v2' && (spec.metrics?.length ?? 0) === 0) spec.metrics = [cpuMetric(defaultUtilization)]
    },
    prepareForCreate(next) {
      // The older version tells both counts from the beginning.
      if ((next.apiVersion as string) === 'autoscaling/v1') next.status = { currentReplicas: 0, desiredReplicas: 0 }
    },
    validate({ apiVersion, spec }, errors) {
      if (spec?.minReplicas !== undefined && spec.minReplicas < 1)
        errors.push(fieldError.invalid('spec.minReplicas', spec.minReplicas, 'must be greater than or equal to 1'))
      checkPositive(spec?.maxReplicas ?? 0, 'spec.maxReplicas', errors)
      if (spec !== undefined && spec.maxReplicas < (spec.minReplicas ?? 1))
        errors.push(fieldError.invalid('spec.maxReplicas', spec.maxReplicas, 'must be greater than or equal to `minReplicas`'))
      checkReference(spec?.scaleTargetRef, 'spec.scaleTargetRef', errors)
      // The older version is converted, and checked as the newer one.
      if ((apiVersion as string) === 'autoscaling/v2') checkMetrics(spec?.metrics, errors)
      checkBehavior(spec?.behavior, errors)
    },
  }),
})

export const horizontalPodAutoscalerResource = defineResource({
  ...preferred,
  versions: [
    ...preferred.versions,
    ...preferred.versions.map((version) => ({
      ...version,
      name: 'v1',
      schema: () => schemaOf('io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler'),
      subresources: [statusSubresource({ group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' })],
    })),
  ],
  convert: (objects, apiVersion) => Promise.resolve(objects.map((object) => convertAutoscaler(object, apiVersion))),
})

const cpuMetric = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})

/** Between v1, which knows CPU utilization alone, and v2. What v1 cannot say waits in annotations that only the conversion reads. */
export function convertAutoscaler(object: DeepReadonly<UnstructuredObject>, apiVersion: string): UnstructuredObject {
  const copy = structuredClone(object) as UnstructuredObject
  if (copy.apiVersion === apiVersion) return copy
  return (apiVersion === 'autoscaling/v1'
    ? toV1(copy as unknown as HorizontalPodAutoscaler)
    : toV2(copy as unknown as AutoscalerV1)) as unknown as UnstructuredObject
}

const kept = 'autoscaling.alpha.kubernetes.io/'

function toV1({ metadata, spec, status, kind }: HorizontalPodAutoscaler): AutoscalerV1 {
  const isCpu = ({ type, resource }: MetricSpec): boolean =>
    type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined
  const cpu = spec?.metrics?.find(isCpu)
  const measured = status?.currentMetrics?.find(
    ({ type, resource }) => type === 'Resource' && resource?.name === 'cpu' && resource.current.averageUtilization !== undefined,
  )
  const rest = {
    metrics: spec?.metrics?.filter((metric) => metric !== cpu),
    behavior: spec?.behavior,
    'current-metrics': status?.currentMetrics?.filter((metric) => metric !== measured),
    conditions: status?.conditions,
  }
  const annotations = { ...metadata.annotations }
  for (const [name, value] of Object.entries(rest))
    if (value !== undefined && (!Array.isArray(value) || value.length > 0)) annotations[`${kept}${name}`] = JSON.stringify(value)
  return {
    apiVersion: 'autoscaling/v1',
    kind,
    metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations },
    ...(spec && {
      spec: {
        scaleTargetRef: spec.scaleTargetRef,
        minReplicas: spec.minReplicas,
        maxReplicas: spec.maxReplicas,
        ...(cpu && { targetCPUUtilizationPercentage: cpu.resource?.target.averageUtilization }),
      },
    }),
    ...(status && {
      status: {
        observedGeneration: status.observedGeneration,
        lastScaleTime: status.lastScaleTime,
        currentReplicas: status.currentReplicas ?? 0,
        desiredReplicas: status.desiredReplicas,
        ...(measured && { currentCPUUtilizationPercentage: measured.resource?.current.averageUtilization }),
      },
    }),
  }
}

function toV2({ metadata, spec, status, kind }: AutoscalerV1): HorizontalPodAutoscaler {
  const annotations = { ...metadata.annotations }
  const take = <T>(name: string): T | undefined => {
    const value = annotations[`${kept}${name}`]
    delete annotations[`${kept}${name}`]
    try {
      return value === undefined ? undefined : JSON.parse(value)
    } catch {
      // Anybody may write an annotation; one that is no JSON says nothing.
      return undefined
    }
  }
  const metrics = [...(take<MetricSpec[]>('metrics') ?? [])]
  const behavior = take<object>('behavior')
  const [measured, conditions] = [take<MetricStatus[]>('current-metrics'), take<never[]>('conditions')]
  const percentage = status?.currentCPUUtilizationPercentage
  const currentMetrics =
    percentage === undefined
      ? measured
      : [
          { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: percentage } } } satisfies MetricStatus,
          ...(measured ?? []),
        ]
  if (spec?.targetCPUUtilizationPercentage !== undefined || metrics.length === 0)
    metrics.unshift(cpuMetric(spec?.targetCPUUtilizationPercentage ?? defaultUtilization))
  const { annotations: _, ...others } = metadata
  return {
    apiVersion: 'autoscaling/v2',
    kind,
    metadata: Object.keys(annotations).length === 0 ? others : { ...others, annotations },
    ...(spec && {
      spec: {
        scaleTargetRef: spec.scaleTargetRef,
        minReplicas: spec.minReplicas,
        maxReplicas: spec.maxReplicas,
        metrics,
        ...(behavior && { behavior }),
      },
    }),
    ...(status && {
      status: {
        observedGeneration: status.observedGeneration,
        lastScaleTime: status.lastScaleTime,
        currentReplicas: status.currentReplicas,
        desiredReplicas: status.desiredReplicas,
        ...(currentMetrics && { currentMetrics }),
        ...(conditions && { conditions }),
      },
    }),
  }
}
