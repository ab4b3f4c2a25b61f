import { type FieldError, fieldError } from '@continuo/core'
import { checkName, isDnsSubdomain } from '../../rules/names.ts'

const maxLength = 63

/** The name of a driver of storage or of devices: a domain name of at most 63 characters, in any case. */
export function checkDriverName(name: string | undefined, path: string, errors: FieldError[]): void {
  if (!name) {
    errors.push(fieldError.required(path))
    return
  }
  if (name.length > maxLength) errors.push(fieldError.tooLong(path, maxLength))
  checkName(isDnsSubdomain, name.toLowerCase(), path, errors)
}
