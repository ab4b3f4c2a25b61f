import { type FieldError, fieldError } from '@continuo/core'
import { checkName, isDnsSubdomain, type NameRule } from '../../rules/names.ts'
import { limits } from './limits.ts'

const maxIdBytes = 32
const maxDomainBytes = 63

const isIdentifier: NameRule = (name) => {
  const faults: string[] = []
  if (Buffer.byteLength(name) > maxIdBytes) faults.push(`must be no more than ${maxIdBytes} bytes`)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    faults.push(
      "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')",
    )
  return faults
}

/** The name of an attribute or a capacity: an identifier, behind the domain of its vendor when it is not the driver's own. */
export function checkQualifiedName(name: string, path: string, errors: FieldError[]): void {
  if (name === '') {
    errors.push(fieldError.required(path, 'name required'))
    return
  }
  const parts = name.split('/')
  if (parts.length > 2)
    errors.push(fieldError.invalid(path, name, 'must be an identifier, or a domain and an identifier separated by a slash'))
  else if (parts.length === 1) checkName(isIdentifier, name, path, errors)
  else {
    const [domain = '', id = ''] = parts
    if (domain === '') errors.push(fieldError.required(path, 'the domain must not be empty'))
    else if (domain.length > maxDomainBytes) errors.push(fieldError.tooLong(path, maxDomainBytes))
    else checkName(isDnsSubdomain, domain, path, errors)
    if (id === '') errors.push(fieldError.required(path, 'the name must not be empty'))
    else checkName(isIdentifier, id, path, errors)
  }
}

/** The same, with its domain: how claims name attributes. */
export function checkFullName(name: string, path: string, errors: FieldError[]): void {
  checkQualifiedName(name, path, errors)
  if (name !== '' && !name.includes('/')) errors.push(fieldError.invalid(path, name, 'must include a domain'))
}

/** Domain names between slashes. */
export function checkPoolName(name: string | undefined, path: string, errors: FieldError[]): void {
  if (!name) {
    errors.push(fieldError.required(path))
    return
  }
  if (name.length > limits.poolNameBytes) errors.push(fieldError.tooLong(path, limits.poolNameBytes))
  for (const part of name.split('/')) checkName(isDnsSubdomain, part, path, errors)
}
