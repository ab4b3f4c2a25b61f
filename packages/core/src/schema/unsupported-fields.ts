import { type FieldError, fieldError } from '../errors/field-error.ts'
import type { Schema } from './schema.ts'

/** Words of JSON Schema that structural schemas have no use for. */
const unsupportedWords = ['$ref', '$schema', 'id', 'definitions', 'dependencies', 'patternProperties', 'additionalItems'] as const

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== '' && !(typeof value === 'object' && value !== null && Object.keys(value).length === 0)

/** What a single schema says that custom resources may not say. */
export function unsupportedFields(schema: Schema, at: string, isRoot: boolean): FieldError[] {
  const words = schema as Readonly<Record<string, unknown>>
  const errors = unsupportedWords
    .filter((word) => isSet(words[word]))
    .map((word) => fieldError.forbidden(`${at}.${word}`, `${word} is not supported`))
  if (schema.additionalProperties === false)
    errors.push(fieldError.forbidden(`${at}.additionalProperties`, 'additionalProperties cannot be set to false'))
  if (Array.isArray(schema.items)) errors.push(fieldError.forbidden(`${at}.items`, 'items must be a schema object and not an array'))
  if ((schema.type as string | undefined) === 'null')
    errors.push(fieldError.forbidden(`${at}.type`, 'type cannot be set to null, use nullable as an alternative'))
  if (!isRoot) return errors
  if (schema.nullable === true) errors.push(fieldError.forbidden(`${at}.nullable`, 'nullable cannot be true at the root'))
  if (schema.additionalProperties !== undefined && schema.additionalProperties !== false)
    errors.push(fieldError.forbidden(`${at}.additionalProperties`, 'must not be used at the root'))
  return errors
}

/** What the schema of a whole object, the root's or an embedded resource's, may say of the fields that every object has. */
export function wholeObjectFaults(schema: Schema, at: string): FieldError[] {
  const errors: FieldError[] = []
  const property = (name: string): Schema | undefined =>
    schema.properties !== undefined && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
  for (const name of ['apiVersion', 'kind']) {
    const type = property(name)?.type
    if (type !== undefined && type !== 'string') errors.push(fieldError.invalid(`${at}.properties[${name}].type`, type, 'must be string'))
  }
  const metadata = property('metadata')
  if (metadata === undefined) return errors
  if (metadata.type !== undefined && metadata.type !== 'object')
    errors.push(fieldError.invalid(`${at}.properties[metadata].type`, metadata.type, 'must be object'))
  if (metadata.default !== undefined)
    errors.push(fieldError.forbidden(`${at}.properties[metadata].default`, 'must not be set inside of metadata'))
  for (const [key, child] of Object.entries(metadata.properties ?? {})) {
    const path = `${at}.properties[metadata].properties[${key}]`
    if (key !== 'name' && key !== 'generateName')
      errors.push(
        fieldError.forbidden(path, 'must not specify anything other than name and generateName, but metadata is implicitly specified'),
      )
    else if (child.default !== undefined) errors.push(fieldError.forbidden(`${path}.default`, 'must not be set inside of metadata'))
  }
  return errors
}
