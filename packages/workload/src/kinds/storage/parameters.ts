import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'

const maxCount = 512
const maxBytes = 256 * 1024

/** Bytes of the keys and values of a map together. */
export const mapBytes = (map: DeepReadonly<Record<string, string>> | undefined): number =>
  Object.entries(map ?? {}).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)

/** What a class tells its driver: at most 512 pairs of 256 KiB together. */
export function checkParameters(
  parameters: DeepReadonly<Record<string, string>> | undefined,
  mayBeEmpty: boolean,
  errors: FieldError[],
): void {
  const keys = Object.keys(parameters ?? {})
  if (keys.length > maxCount) {
    errors.push(fieldError.tooLong('parameters', maxCount))
    return
  }
  if (keys.includes('')) errors.push(fieldError.invalid('parameters', '', 'field can not be empty.'))
  if (mapBytes(parameters) > maxBytes) errors.push(fieldError.tooLong('parameters', maxBytes))
  if (!mayBeEmpty && keys.length === 0) errors.push(fieldError.required('parameters', 'must contain at least one key/value pair'))
}
