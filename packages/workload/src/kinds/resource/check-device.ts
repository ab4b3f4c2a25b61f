import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { Device, DeviceAttribute, DeviceTaint } from '../../generated/types/resource-v1.ts'
import { checkNodeSelector } from '../../pod-spec/check-node-selector.ts'
import { checkName, checkRequiredName, isDnsLabel, isDnsSubdomain, isQualifiedName } from '../../rules/names.ts'
import { checkOneOf } from '../../rules/values.ts'
import { limits } from './limits.ts'
import { checkItems, checkSet } from './lists.ts'
import { checkQualifiedName } from './names.ts'

/** One device that a slice offers. */
export function checkDevice(device: DeepReadonly<Device>, perDevice: boolean, path: string, errors: FieldError[]): void {
  checkRequiredName(isDnsLabel, device.name, `${path}.name`, errors)
  const count = Object.keys(device.attributes ?? {}).length + Object.keys(device.capacity ?? {}).length
  if (count > limits.attributes)
    errors.push(fieldError.invalid(path, count, `the total number of attributes and capacities must not exceed ${limits.attributes}`))
  for (const [name, attribute] of Object.entries(device.attributes ?? {})) {
    checkQualifiedName(name, `${path}.attributes[${name}]`, errors)
    checkAttribute(attribute, `${path}.attributes[${name}]`, errors)
  }
  for (const [name, { requestPolicy }] of Object.entries(device.capacity ?? {})) {
    checkQualifiedName(name, `${path}.capacity[${name}]`, errors)
    if (requestPolicy !== undefined && device.allowMultipleAllocations !== true)
      errors.push(fieldError.forbidden(`${path}.capacity[${name}].requestPolicy`, 'allowMultipleAllocations must be true'))
  }
  checkItems(device.taints, limits.taints, `${path}.taints`, errors, (taint, at) => checkTaint(taint, at, errors))
  checkSet(
    device.consumesCounters,
    2,
    `${path}.consumesCounters`,
    errors,
    ({ counterSet }) => counterSet,
    ({ counterSet, counters }, at) => {
      checkRequiredName(isDnsLabel, counterSet, `${at}.counterSet`, errors)
      if (Object.keys(counters ?? {}).length === 0) errors.push(fieldError.required(`${at}.counters`))
    },
  )
  for (const field of ['bindingConditions', 'bindingFailureConditions'] as const)
    checkItems(device[field], limits.conditions, `${path}.${field}`, errors, (name, at) => checkName(isQualifiedName, name, at, errors))
  checkPlace(device, perDevice, path, errors)
}

function checkTaint({ key, value, effect }: DeepReadonly<DeviceTaint>, path: string, errors: FieldError[]): void {
  checkRequiredName(isQualifiedName, key, `${path}.key`, errors)
  if (value) checkName(isQualifiedName, value, `${path}.value`, errors)
  checkOneOf(effect, ['NoExecute', 'NoSchedule', 'None'], `${path}.effect`, errors)
}

const semanticVersion =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

function checkAttribute(attribute: DeepReadonly<DeviceAttribute>, path: string, errors: FieldError[]): void {
  if (Object.values(attribute).filter((value) => value !== undefined).length !== 1)
    errors.push(fieldError.invalid(path, attribute, 'exactly one value must be specified'))
  for (const [field, values] of Object.entries(attribute))
    if (Array.isArray(values) && values.length === 0)
      errors.push(fieldError.invalid(`${path}.${field}`, values, 'must not be empty if specified'))
  const { string, strings = [], version, versions = [] } = attribute
  const check = (value: string, at: string, isVersion: boolean): void => {
    if (isVersion && !semanticVersion.test(value))
      errors.push(fieldError.invalid(at, value, 'must be a string compatible with semver.org spec 2.0.0'))
    if (Buffer.byteLength(value) > limits.valueBytes) errors.push(fieldError.tooLong(at, limits.valueBytes))
  }
  if (string !== undefined) check(string, `${path}.string`, false)
  if (version !== undefined) check(version, `${path}.version`, true)
  strings.forEach((value, index) => {
    check(value, `${path}.strings[${index}]`, false)
  })
  versions.forEach((value, index) => {
    check(value, `${path}.versions[${index}]`, true)
  })
}

/** Where a device is: the slice says so for all of them, or leaves it to each. */
function checkPlace(
  { nodeName, nodeSelector, allNodes }: DeepReadonly<Device>,
  perDevice: boolean,
  path: string,
  errors: FieldError[],
): void {
  const given = Object.entries({ nodeName, nodeSelector, allNodes }).filter(([, value]) => value !== undefined)
  if (!perDevice) {
    if (given.length > 0)
      errors.push(
        fieldError.invalid(
          path,
          null,
          '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
        ),
      )
    return
  }
  const words =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
  if (given.length === 0) errors.push(fieldError.required(path, words))
  else if (given.length > 1) errors.push(fieldError.invalid(path, `{${given.map(([name]) => `\`${name}\``).join(', ')}}`, words))
  if (nodeName === '') errors.push(fieldError.invalid(`${path}.nodeName`, nodeName, 'must not be empty'))
  else if (nodeName !== undefined) checkName(isDnsSubdomain, nodeName, `${path}.nodeName`, errors)
  if (allNodes === false) errors.push(fieldError.invalid(`${path}.allNodes`, allNodes, 'must be either unset or set to true'))
  if (nodeSelector !== undefined) checkNodeSelector(nodeSelector, `${path}.nodeSelector`, errors)
}
