import { type DeepReadonly, type FieldError, fieldError, jsonEqual } from '@continuo/core'
import { type IntOrString, isQuantity, parseQuantity, percentOf } from '@continuo/lib-quantity'
import { checkName, isPortName, isQualifiedName } from './names.ts'

export function checkNotNegative(value: number | undefined, path: string, errors: FieldError[]): void {
  if (value !== undefined && value < 0) errors.push(fieldError.invalid(path, value, 'must be greater than or equal to 0'))
}

export function checkPositive(value: number | undefined, path: string, errors: FieldError[]): void {
  if (value !== undefined && value <= 0) errors.push(fieldError.invalid(path, value, 'must be greater than 0'))
}

export function checkPortNumber(port: number, path: string, errors: FieldError[]): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    errors.push(fieldError.invalid(path, port, 'must be between 1 and 65535, inclusive'))
}

/** A port by number or by name. */
export function checkPort(port: IntOrString, path: string, errors: FieldError[]): void {
  if (typeof port === 'number') checkPortNumber(port, path, errors)
  else checkName(isPortName, port, path, errors)
}

/** A value out of a closed set; absent is an error when `required`. */
export function checkOneOf(
  value: string | undefined,
  allowed: readonly string[],
  path: string,
  errors: FieldError[],
  required = true,
): void {
  if (value === undefined || value === '') {
    if (required) errors.push(fieldError.required(path))
  } else if (!allowed.includes(value)) errors.push(fieldError.notSupported(path, value, allowed))
}

/** Fields that may never change: the value must equal the old one. */
export function checkImmutable(next: unknown, old: unknown, path: string, errors: FieldError[]): void {
  if (!jsonEqual(next, old)) errors.push(fieldError.invalid(path, next, 'field is immutable'))
}

/** A count or a percentage between 0 % and 100 %. */
export function checkCountOrPercent(value: IntOrString, path: string, errors: FieldError[]): void {
  if (typeof value === 'number') {
    checkNotNegative(value, path, errors)
    return
  }
  const percent = percentOf(value)
  if (percent === undefined)
    errors.push(
      fieldError.invalid(
        path,
        value,
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ),
    )
}

/** Names and amounts of resources: of limits, requests, capacity or a quota. */
export function checkAmounts(amounts: DeepReadonly<Record<string, string>> | undefined, path: string, errors: FieldError[]): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    const at = `${path}[${name}]`
    checkName(isQualifiedName, name, at, errors)
    if (!isQuantity(amount)) errors.push(fieldError.invalid(at, amount, 'must be a valid quantity'))
    else if (parseQuantity(amount).nano < 0n) errors.push(fieldError.invalid(at, amount, 'must be greater than or equal to 0'))
  }
}

const ipv4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/

/** 4, 6 or undefined: the family of an address in its usual notation. */
export function addressFamily(address: string): 4 | 6 | undefined {
  if (ipv4.test(address)) return 4
  return address.includes(':') && URL.canParse(`http://[${address}]/`) ? 6 : undefined
}

export function checkAddress(address: string, path: string, errors: FieldError[]): void {
  if (addressFamily(address) === undefined)
    errors.push(fieldError.invalid(path, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
}
