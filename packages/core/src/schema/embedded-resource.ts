import { type FieldError, fieldError } from '../errors/field-error.ts'
import { dns1035LabelFaults, pathSegmentFaults } from '../objects/name-rules.ts'
import { isRecord } from './json-value.ts'

/** What is wrong with a value as a whole object inside of another one: it must say what it is, and be named as objects are. */
export function embeddedResourceFaults(value: Readonly<Record<string, unknown>>, at: string): FieldError[] {
  const errors: FieldError[] = []
  const text = (field: string): string | undefined => {
    const found = Object.hasOwn(value, field) ? value[field] : undefined
    if (found === undefined || found === '') errors.push(fieldError.required(`${at}.${field}`, 'must not be empty'))
    else if (typeof found !== 'string') errors.push(fieldError.invalid(`${at}.${field}`, found, 'must be a string'))
    else return found
    return undefined
  }
  const apiVersion = text('apiVersion')
  if (apiVersion !== undefined && apiVersion.split('/').length > 2)
    errors.push(fieldError.invalid(`${at}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  const kind = text('kind')
  if (kind !== undefined)
    for (const fault of dns1035LabelFaults(kind.toLowerCase())) errors.push(fieldError.invalid(`${at}.kind`, kind, fault))
  const { metadata } = value
  if (!isRecord(metadata)) {
    if (metadata !== undefined) errors.push(fieldError.invalid(`${at}.metadata`, metadata, 'must be an object'))
    return errors
  }
  for (const field of ['name', 'generateName'])
    if (typeof metadata[field] === 'string')
      for (const fault of pathSegmentFaults(metadata[field], field === 'generateName'))
        errors.push(fieldError.invalid(`${at}.metadata.${field}`, metadata[field], fault))
  return errors
}
