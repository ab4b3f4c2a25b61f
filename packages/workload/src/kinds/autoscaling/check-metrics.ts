import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import { parseQuantity } from '@continuo/lib-quantity'
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscalerBehavior,
  HPAScalingRules,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from '../../generated/types/autoscaling-v2.ts'
import { each } from '../../rules/each.ts'
import { checkRequiredName, isDnsLabel, type NameRule } from '../../rules/names.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'

const maxWindowSeconds = 3600
const maxPeriodSeconds = 1800

/** The field that describes each type of metric. */
const sources = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
} as const

/** Names that become a segment of a path. */
const isSegment: NameRule = (name) =>
  ['/', '%'].filter((illegal) => name.includes(illegal)).map((illegal) => `may not contain '${illegal}'`)

/** What an autoscaler measures (`pkg/apis/autoscaling/validation`). */
export function checkMetrics(metrics: DeepReadonly<MetricSpec[]> | undefined, errors: FieldError[]): void {
  each(metrics, 'spec.metrics', (metric, path) => checkMetric(metric, path, errors))
}

function checkMetric(metric: DeepReadonly<MetricSpec>, path: string, errors: FieldError[]): void {
  const { type } = metric
  if (!type) {
    errors.push(fieldError.required(`${path}.type`, 'must specify a metric source type'))
    return
  }
  if (!Object.hasOwn(sources, type)) {
    errors.push(fieldError.notSupported(`${path}.type`, type, Object.keys(sources)))
    return
  }
  const expected = sources[type as keyof typeof sources]
  const given = Object.values(sources).filter((field) => metric[field] !== undefined)
  if (given.length > 1)
    for (const field of given.filter((one) => one !== expected))
      errors.push(fieldError.forbidden(`${path}.${field}`, 'must populate the given metric source only'))
  if (metric[expected] === undefined) {
    errors.push(fieldError.required(`${path}.${expected}`, 'must populate information for the given metric source'))
    return
  }
  checkSource(metric, path, errors)
}

function checkSource(
  { type, object, pods, resource, containerResource, external }: DeepReadonly<MetricSpec>,
  path: string,
  errors: FieldError[],
): void {
  if (type === 'Object' && object !== undefined) {
    const at = `${path}.object`
    checkReference(object.describedObject, `${at}.describedObject`, errors)
    checkIdentifier(object.metric, `${at}.metric`, errors)
    checkTarget(object.target, `${at}.target`, errors)
    if (object.target?.value === undefined && object.target?.averageValue === undefined)
      errors.push(fieldError.required(`${at}.target.averageValue`, 'must set either a target value or averageValue'))
  } else if (type === 'Pods' && pods !== undefined) {
    checkIdentifier(pods.metric, `${path}.pods.metric`, errors)
    checkTarget(pods.target, `${path}.pods.target`, errors)
    if (pods.target?.averageValue === undefined)
      errors.push(fieldError.required(`${path}.pods.target.averageValue`, 'must specify a positive target averageValue'))
  } else if (type === 'External' && external !== undefined) {
    const at = `${path}.external`
    checkIdentifier(external.metric, `${at}.metric`, errors)
    checkTarget(external.target, `${at}.target`, errors)
    const { value, averageValue } = external.target ?? {}
    if (value === undefined && averageValue === undefined)
      errors.push(fieldError.required(`${at}.target.averageValue`, 'must set either a target value for metric or a per-pod target'))
    if (value !== undefined && averageValue !== undefined)
      errors.push(fieldError.forbidden(`${at}.target.value`, 'may not set both a target value for metric and a per-pod target'))
  } else if (type === 'Resource' && resource !== undefined) checkResourceSource(resource, `${path}.resource`, errors)
  else if (containerResource !== undefined) {
    const at = `${path}.containerResource`
    if (containerResource.container) checkRequiredName(isDnsLabel, containerResource.container, `${at}.container`, errors)
    else errors.push(fieldError.required(`${at}.container`, 'must specify a container'))
    checkResourceSource(containerResource, at, errors)
  }
}

function checkResourceSource(
  { name, target }: DeepReadonly<{ name: string; target: MetricTarget }>,
  path: string,
  errors: FieldError[],
): void {
  if (!name) errors.push(fieldError.required(`${path}.name`, 'must specify a resource name'))
  checkTarget(target, `${path}.target`, errors)
  const { averageUtilization, averageValue } = target ?? {}
  if (averageUtilization === undefined && averageValue === undefined)
    errors.push(fieldError.required(`${path}.target.averageUtilization`, 'must set either a target raw value or a target utilization'))
  if (averageUtilization !== undefined && averageValue !== undefined)
    errors.push(fieldError.forbidden(`${path}.target.averageValue`, 'may not set both a target raw value and a target utilization'))
}

function checkTarget(target: DeepReadonly<MetricTarget> | undefined, path: string, errors: FieldError[]): void {
  const { type, averageUtilization } = target ?? {}
  if (!type) errors.push(fieldError.required(`${path}.type`, 'must specify a metric target type'))
  if (type !== 'Utilization' && type !== 'Value' && type !== 'AverageValue')
    errors.push(fieldError.invalid(`${path}.type`, type ?? '', 'must be either Utilization, Value, or AverageValue'))
  for (const field of ['value', 'averageValue'] as const) {
    const amount = target?.[field]
    if (amount !== undefined && parseQuantity(amount).nano <= 0n)
      errors.push(fieldError.invalid(`${path}.${field}`, amount, 'must be positive'))
  }
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(fieldError.invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'))
}

function checkIdentifier(metric: DeepReadonly<MetricIdentifier> | undefined, path: string, errors: FieldError[]): void {
  if (!metric?.name) errors.push(fieldError.required(`${path}.name`, 'must specify a metric name'))
  else checkRequiredName(isSegment, metric.name, `${path}.name`, errors)
  checkLabelSelector(metric?.selector, `${path}.selector`, errors)
}

/** The object that is scaled, or measured. */
export function checkReference(reference: DeepReadonly<CrossVersionObjectReference> | undefined, path: string, errors: FieldError[]): void {
  checkRequiredName(isSegment, reference?.kind, `${path}.kind`, errors)
  checkRequiredName(isSegment, reference?.name, `${path}.name`, errors)
}

/** How fast an autoscaler goes up and down. */
export function checkBehavior(behavior: DeepReadonly<HorizontalPodAutoscalerBehavior> | undefined, errors: FieldError[]): void {
  for (const direction of ['scaleUp', 'scaleDown'] as const) {
    const rules = behavior?.[direction]
    if (rules !== undefined) checkRules(rules, `spec.behavior.${direction}`, errors)
  }
}

function checkRules(
  { policies, selectPolicy, stabilizationWindowSeconds: window, tolerance }: DeepReadonly<HPAScalingRules>,
  path: string,
  errors: FieldError[],
): void {
  if (window !== undefined && window < 0)
    errors.push(fieldError.invalid(`${path}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'))
  if (window !== undefined && window > maxWindowSeconds)
    errors.push(fieldError.invalid(`${path}.stabilizationWindowSeconds`, window, `must be less than or equal to ${maxWindowSeconds}`))
  if (selectPolicy !== undefined && !['Disabled', 'Max', 'Min'].includes(selectPolicy))
    errors.push(fieldError.notSupported(`${path}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min']))
  if (policies !== undefined && policies.length === 0)
    errors.push(fieldError.required(`${path}.policies`, 'must specify at least one Policy'))
  if (tolerance !== undefined && parseQuantity(tolerance).nano < 0n)
    errors.push(fieldError.invalid(`${path}.tolerance`, tolerance, 'must be greater than or equal to 0'))
  each(policies, `${path}.policies`, ({ type, value, periodSeconds }, at) => {
    if (type !== 'Pods' && type !== 'Percent') errors.push(fieldError.notSupported(`${at}.type`, type, ['Percent', 'Pods']))
    if (value <= 0) errors.push(fieldError.invalid(`${at}.value`, value, 'must be greater than zero'))
    if (periodSeconds <= 0) errors.push(fieldError.invalid(`${at}.periodSeconds`, periodSeconds, 'must be greater than zero'))
    if (periodSeconds > maxPeriodSeconds)
      errors.push(fieldError.invalid(`${at}.periodSeconds`, periodSeconds, `must be less than or equal to ${maxPeriodSeconds}`))
  })
}
