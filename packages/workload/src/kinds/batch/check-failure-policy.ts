import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
  SuccessPolicy,
} from '../../generated/types/batch-v1.ts'
import { each } from '../../rules/each.ts'
import { checkOneOf } from '../../rules/values.ts'

const maxRules = 20
const maxCodes = 255
const maxIndexes = 100_000

/** What a job makes of a pod that failed. */
export function checkFailurePolicy(spec: DeepReadonly<JobSpec>, path: string, errors: FieldError[]): void {
  const policy = spec.podFailurePolicy
  if (policy === undefined) return
  const at = `${path}.podFailurePolicy.rules`
  const rules = policy.rules ?? []
  if (rules.length > maxRules) errors.push(fieldError.tooMany(at, rules.length, maxRules))
  const containers = new Set(
    [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])].map(({ name }) => name),
  )
  each(rules, at, (rule, one) => {
    checkRule(rule, one, errors)
    if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
      errors.push(fieldError.invalid(`${one}.action`, rule.action, 'requires the backoffLimitPerIndex to be set'))
    const name = rule.onExitCodes?.containerName
    if (name && !containers.has(name))
      errors.push(
        fieldError.invalid(
          `${one}.onExitCodes.containerName`,
          name,
          'must be one of the container or initContainer names in the pod template',
        ),
      )
  })
  if (spec.template?.spec?.restartPolicy !== 'Never')
    errors.push(
      fieldError.invalid(
        `${path}.template.spec.restartPolicy`,
        spec.template?.spec?.restartPolicy,
        'only "Never" is supported when podFailurePolicy is specified',
      ),
    )
}

function checkRule({ action, onExitCodes, onPodConditions }: DeepReadonly<PodFailurePolicyRule>, path: string, errors: FieldError[]): void {
  checkOneOf(action, ['Count', 'FailIndex', 'FailJob', 'Ignore'], `${path}.action`, errors)
  const hasConditions = (onPodConditions?.length ?? 0) > 0
  if (onExitCodes !== undefined && hasConditions)
    errors.push(fieldError.invalid(path, '', 'specifying both OnExitCodes and OnPodConditions is not supported'))
  else if (onExitCodes === undefined && !hasConditions)
    errors.push(fieldError.invalid(path, '', 'specifying one of OnExitCodes and OnPodConditions is required'))
  if (onExitCodes !== undefined) checkCodes(onExitCodes, `${path}.onExitCodes`, errors)
  each(onPodConditions, `${path}.onPodConditions`, ({ type, status }, at) => {
    if (!type) errors.push(fieldError.required(`${at}.type`))
    checkOneOf(status, ['False', 'True', 'Unknown'], `${at}.status`, errors)
  })
}

function checkCodes(
  { operator, values = [] }: DeepReadonly<PodFailurePolicyOnExitCodesRequirement>,
  path: string,
  errors: FieldError[],
): void {
  checkOneOf(operator, ['In', 'NotIn'], `${path}.operator`, errors)
  if (values.length === 0) errors.push(fieldError.invalid(`${path}.values`, values, 'at least one value is required'))
  else if (values.length > maxCodes) errors.push(fieldError.tooMany(`${path}.values`, values.length, maxCodes))
  values.forEach((value, index) => {
    const at = `${path}.values[${index}]`
    if (operator === 'In' && value === 0) errors.push(fieldError.invalid(at, value, 'must not be 0 for the In operator'))
    if (values.indexOf(value) !== index) errors.push(fieldError.duplicate(at, value))
  })
  if (values.some((value, index) => index > 0 && value < (values[index - 1] as number)))
    errors.push(fieldError.invalid(`${path}.values`, values, 'must be ordered'))
}

/** When an indexed job is done before all of its indexes are. */
export function checkSuccessPolicy(
  policy: DeepReadonly<SuccessPolicy>,
  completions: number | undefined,
  path: string,
  errors: FieldError[],
): void {
  const rules = policy.rules ?? []
  if (rules.length === 0)
    errors.push(fieldError.required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified'))
  if (rules.length > maxRules) errors.push(fieldError.tooMany(`${path}.rules`, rules.length, maxRules))
  each(rules, `${path}.rules`, ({ succeededIndexes, succeededCount }, at) => {
    if (succeededIndexes === undefined && succeededCount === undefined)
      errors.push(fieldError.required(at, 'at least one of succeededCount or succeededIndexes must be specified'))
    const total = completions ?? maxIndexes
    if (succeededIndexes !== undefined && !areIndexes(succeededIndexes, total))
      errors.push(
        fieldError.invalid(
          `${at}.succeededIndexes`,
          succeededIndexes,
          `error parsing succeededIndexes: must be intervals of indexes below ${total}`,
        ),
      )
    if (succeededCount !== undefined && (succeededCount < 0 || succeededCount > total))
      errors.push(
        succeededCount < 0
          ? fieldError.invalid(`${at}.succeededCount`, succeededCount, 'must be greater than or equal to 0')
          : fieldError.invalid(
              `${at}.succeededCount`,
              succeededCount,
              `must be less than or equal to ${total} (the number of specified completions)`,
            ),
      )
  })
}

/** `0,2-4`: in order, and all below the total. */
function areIndexes(text: string, total: number): boolean {
  let last = -1
  return text.split(',').every((interval) => {
    const [, begin, end = begin] = /^(\d+)(?:-(\d+))?$/.exec(interval) ?? []
    if (begin === undefined || Number(begin) <= last || Number(end) < Number(begin) || Number(end) >= total) return false
    last = Number(end)
    return true
  })
}
