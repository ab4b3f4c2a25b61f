import { type DeepReadonly, type FieldError, fieldError, isRecord } from '@continuo/core'
import type { DeviceSelector, DeviceToleration, OpaqueDeviceConfiguration } from '../../generated/types/resource-v1.ts'
import { checkName, isQualifiedName } from '../../rules/names.ts'
import { checkDriverName } from '../storage/csi-driver-name.ts'
import { checkSelector } from './check-selector.ts'
import { limits } from './limits.ts'
import { checkItems } from './lists.ts'

/** The expressions of selectors: what an update leaves as it was is not compiled again. */
export const expressionsOf = (selectors: DeepReadonly<DeviceSelector[]> | undefined): string[] =>
  (selectors ?? []).flatMap(({ cel }) => (cel === undefined ? [] : [cel.expression]))

/** Expressions that choose devices. Those that are `known` were accepted when they were written. */
export function checkSelectors(
  selectors: DeepReadonly<DeviceSelector[]> | undefined,
  path: string,
  errors: FieldError[],
  known: ReadonlySet<string>,
): void {
  checkItems(selectors, limits.selectors, path, errors, ({ cel }, at) => {
    if (cel === undefined) errors.push(fieldError.required(`${at}.cel`))
    else if (!cel.expression) errors.push(fieldError.required(`${at}.cel.expression`))
    else if (Buffer.byteLength(cel.expression) > limits.expressionBytes)
      errors.push(fieldError.tooLong(`${at}.cel.expression`, limits.expressionBytes))
    else if (!known.has(cel.expression)) checkSelector(cel.expression, `${at}.cel.expression`, errors)
  })
}

/** What a driver is told, in its own words: an object. */
export function checkOpaque(opaque: DeepReadonly<OpaqueDeviceConfiguration> | undefined, path: string, errors: FieldError[]): void {
  if (opaque === undefined) {
    errors.push(fieldError.required(path))
    return
  }
  checkDriverName(opaque.driver, `${path}.driver`, errors)
  const { parameters } = opaque
  if (parameters === undefined || parameters === null) errors.push(fieldError.required(`${path}.parameters`))
  else if (!isRecord(parameters)) errors.push(fieldError.invalid(`${path}.parameters`, '<value omitted>', 'must be a valid JSON object'))
  else if (Buffer.byteLength(JSON.stringify(parameters)) > limits.parameterBytes)
    errors.push(fieldError.tooLong(`${path}.parameters`, limits.parameterBytes))
}

export function checkTolerations(tolerations: DeepReadonly<DeviceToleration[]> | undefined, path: string, errors: FieldError[]): void {
  checkItems(tolerations, limits.taints, path, errors, ({ key, operator, value, effect }, at) => {
    if (key) checkName(isQualifiedName, key, `${at}.key`, errors)
    if (operator === undefined) errors.push(fieldError.required(`${at}.operator`))
    else if (operator !== 'Exists' && operator !== 'Equal')
      errors.push(fieldError.notSupported(`${at}.operator`, operator, ['Equal', 'Exists']))
    else if (operator === 'Exists' && value) errors.push(fieldError.invalid(`${at}.value`, value, 'must be empty for operator `Exists`'))
    else if (operator === 'Equal' && !key) errors.push(fieldError.required(`${at}.key`, 'must not be empty for operator `Equal`'))
    if (effect && !['NoExecute', 'NoSchedule', 'None'].includes(effect))
      errors.push(fieldError.notSupported(`${at}.effect`, effect, ['NoExecute', 'NoSchedule', 'None']))
  })
}
