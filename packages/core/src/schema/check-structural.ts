import { type FieldError, fieldError } from '../errors/field-error.ts'
import { cloneJson } from './json-value.ts'
import { compilePattern } from './pattern.ts'
import { prune } from './prune.ts'
import type { Schema } from './schema.ts'
import { unsupportedFields, wholeObjectFaults } from './unsupported-fields.ts'
import { validate } from './validate.ts'

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const maxErrors = 100
const maxDepth = 200

/** Where a schema stands, which decides what it must say. */
type Place = 'root' | 'field' | 'item'

const placeName: Readonly<Record<Place, string>> = {
  root: 'at the root',
  field: 'for specified object fields',
  item: 'for specified array items',
}

/** The two forms in which `x-kubernetes-int-or-string` may be spelled out below an anyOf. */
const isIntOrStringAnyOf = (parts: readonly Schema[] | undefined): boolean =>
  parts?.length === 2 &&
  Object.keys(parts[0] as Schema).join() === 'type' &&
  parts[0]?.type === 'integer' &&
  Object.keys(parts[1] as Schema).join() === 'type' &&
  parts[1]?.type === 'string'

class StructuralCheck {
  readonly errors: FieldError[] = []

  add(error: FieldError): void {
    if (this.errors.length < maxErrors) this.errors.push(error)
  }

  schema(schema: Schema, at: string, place: Place, depth: number): void {
    if (depth > maxDepth) {
      this.add(fieldError.forbidden(at, `must not be nested deeper than ${maxDepth} levels`))
      return
    }
    if (this.errors.length >= maxErrors) return
    for (const error of unsupportedFields(schema, at, place === 'root')) this.add(error)
    // What stands in such a place is no schema that could be looked into.
    if (Array.isArray(schema.items) || '$ref' in schema) return
    this.#type(schema, at, place)
    this.#extensions(schema, at)
    this.#lists(schema, at)
    this.#values(schema, at)
    if (schema.properties !== undefined && typeof schema.additionalProperties === 'object')
      this.add(fieldError.forbidden(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'))
    for (const [key, child] of Object.entries(schema.properties ?? {})) this.schema(child, `${at}.properties[${key}]`, 'field', depth + 1)
    if (typeof schema.additionalProperties === 'object')
      this.schema(schema.additionalProperties, `${at}.additionalProperties`, 'field', depth + 1)
    if (schema.items !== undefined) this.schema(schema.items, `${at}.items`, 'item', depth + 1)
    this.#logic(schema, schema, at, depth)
    if (place === 'root' || schema['x-kubernetes-embedded-resource'] === true)
      for (const error of wholeObjectFaults(schema, at)) this.add(error)
  }

  #type(schema: Schema, at: string, place: Place): void {
    const intOrString = schema['x-kubernetes-int-or-string'] === true
    if (schema.type === undefined || (schema.type as string) === '') {
      if (!intOrString && schema['x-kubernetes-preserve-unknown-fields'] !== true)
        this.add(fieldError.required(`${at}.type`, `must not be empty ${placeName[place]}`))
    } else if (!types.includes(schema.type)) this.add(fieldError.notSupported(`${at}.type`, schema.type, types))
    else if (intOrString) this.add(fieldError.forbidden(`${at}.type`, 'must be empty if x-kubernetes-int-or-string is true'))
    if (place === 'root' && schema.type !== undefined && schema.type !== 'object')
      this.add(fieldError.invalid(`${at}.type`, schema.type, 'must be object at the root'))
    if (schema.type === 'array' && schema.items === undefined) this.add(fieldError.required(`${at}.items`, 'must be specified'))
  }

  #extensions(schema: Schema, at: string): void {
    if (schema['x-kubernetes-preserve-unknown-fields'] === false)
      this.add(fieldError.invalid(`${at}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
    if (schema['x-kubernetes-embedded-resource'] === true) {
      if (schema.type !== 'object')
        this.add(fieldError.invalid(`${at}.type`, schema.type ?? '', 'must be object if x-kubernetes-embedded-resource is true'))
      if (schema['x-kubernetes-preserve-unknown-fields'] !== true && Object.keys(schema.properties ?? {}).length === 0)
        this.add(
          fieldError.required(
            `${at}.properties`,
            'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
          ),
        )
    }
    const mapType = schema['x-kubernetes-map-type']
    if (mapType !== undefined) {
      if (mapType !== 'atomic' && mapType !== 'granular')
        this.add(fieldError.notSupported(`${at}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']))
      if (schema.type !== 'object')
        this.add(fieldError.invalid(`${at}.type`, schema.type ?? '', 'must be object if x-kubernetes-map-type is specified'))
    }
  }

  #lists(schema: Schema, at: string): void {
    const listType = schema['x-kubernetes-list-type']
    const keys = schema['x-kubernetes-list-map-keys']
    if (listType !== undefined) {
      if (!['atomic', 'set', 'map'].includes(listType))
        this.add(fieldError.notSupported(`${at}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']))
      if (schema.type !== 'array')
        this.add(fieldError.invalid(`${at}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'))
    }
    if (keys !== undefined && listType !== 'map')
      this.add(fieldError.invalid(`${at}.x-kubernetes-list-type`, listType ?? '', 'must be map if x-kubernetes-list-map-keys is non-empty'))
    const { items } = schema
    if (items === undefined) return
    if (listType === 'set') {
      if (items.nullable === true)
        this.add(fieldError.forbidden(`${at}.items.nullable`, 'cannot be nullable when x-kubernetes-list-type is "set"'))
      if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
        this.add(
          fieldError.invalid(
            `${at}.items.x-kubernetes-map-type`,
            items['x-kubernetes-map-type'] ?? '',
            'must be atomic as item of a list with x-kubernetes-list-type=set',
          ),
        )
      if (items.type === 'array' && items['x-kubernetes-list-type'] !== undefined && items['x-kubernetes-list-type'] !== 'atomic')
        this.add(
          fieldError.invalid(
            `${at}.items.x-kubernetes-list-type`,
            items['x-kubernetes-list-type'],
            'must be atomic as item of a list with x-kubernetes-list-type=set',
          ),
        )
    }
    if (listType === 'map') this.#mapKeys(items, keys ?? [], at)
  }

  #mapKeys(items: Schema, keys: readonly string[], at: string): void {
    if (keys.length === 0)
      this.add(fieldError.required(`${at}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'))
    if (items.type !== 'object')
      this.add(fieldError.invalid(`${at}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"))
    for (const [i, key] of keys.entries()) {
      const property = items.properties !== undefined && Object.hasOwn(items.properties, key) ? items.properties[key] : undefined
      if (keys.indexOf(key) < i) this.add(fieldError.duplicate(`${at}.x-kubernetes-list-map-keys[${i}]`, key))
      if (property === undefined)
        this.add(fieldError.invalid(`${at}.x-kubernetes-list-map-keys[${i}]`, key, 'entries must all be names of item properties'))
      else {
        if (property.type === 'object' || property.type === 'array')
          this.add(
            fieldError.invalid(
              `${at}.items.properties[${key}].type`,
              property.type,
              "must be a scalar type if parent array's x-kubernetes-list-type is map",
            ),
          )
        if (property.nullable === true)
          this.add(
            fieldError.forbidden(
              `${at}.items.properties[${key}].nullable`,
              'this property is in x-kubernetes-list-map-keys, so it cannot be nullable',
            ),
          )
        if (property.default === undefined && !items.required?.includes(key))
          this.add(
            fieldError.required(
              `${at}.items.properties[${key}].default`,
              'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
            ),
          )
      }
    }
  }

  #values(schema: Schema, at: string): void {
    if (schema.uniqueItems === true)
      this.add(
        fieldError.forbidden(`${at}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'),
      )
    if (schema.pattern !== undefined) {
      const compiled = compilePattern(schema.pattern)
      if ('fault' in compiled)
        this.add(fieldError.invalid(`${at}.pattern`, schema.pattern, `must be a valid regular expression, but isn't: ${compiled.fault}`))
    }
    if (schema.default !== undefined) {
      const value = cloneJson(schema.default)
      const { dropped } = prune(schema, value, { root: false })
      if (dropped.length > 0)
        this.add(fieldError.invalid(`${at}.default`, schema.default, `must not have unknown fields: ${dropped.join(', ')}`))
      for (const error of validate(schema, value, `${at}.default`)) this.add(error)
    }
  }

  /** Below allOf, anyOf, oneOf and not only value validation may stand, and only for what the structure outside specifies. */
  #logic(schema: Schema, outside: Schema | undefined, at: string, depth: number): void {
    if (depth > maxDepth || this.errors.length >= maxErrors) return
    const intOrString = outside?.['x-kubernetes-int-or-string'] === true
    for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
      const parts = schema[name]
      if (name === 'anyOf' && intOrString && isIntOrStringAnyOf(parts)) continue
      for (const [i, part] of (parts ?? []).entries()) {
        const isListedInAllOf = name === 'allOf' && i === 0 && intOrString && isIntOrStringAnyOf(part.anyOf)
        this.#nested(isListedInAllOf ? { ...part, anyOf: undefined } : part, outside, `${at}.${name}[${i}]`, depth + 1)
      }
    }
    if (schema.not !== undefined) this.#nested(schema.not, outside, `${at}.not`, depth + 1)
  }

  #nested(part: Schema, outside: Schema | undefined, at: string, depth: number): void {
    for (const key of ['type', 'description', 'title', 'default', 'nullable', 'additionalProperties'] as const)
      if (part[key] !== undefined && part[key] !== '' && part[key] !== false)
        this.add(fieldError.forbidden(`${at}.${key}`, 'must be empty to be structural'))
    for (const key of [
      'x-kubernetes-preserve-unknown-fields',
      'x-kubernetes-embedded-resource',
      'x-kubernetes-int-or-string',
      'x-kubernetes-list-type',
      'x-kubernetes-list-map-keys',
      'x-kubernetes-map-type',
      'x-kubernetes-validations',
    ] as const)
      if (part[key] !== undefined) this.add(fieldError.forbidden(`${at}.${key}`, 'must be undefined to be structural'))
    for (const [key, child] of Object.entries(part.properties ?? {})) {
      const known = outside?.properties !== undefined && Object.hasOwn(outside.properties, key) ? outside.properties[key] : undefined
      if (known === undefined)
        this.add(
          fieldError.required(
            `${at}.properties[${key}]`,
            'because it is specified inside of a logical junctor, it must also be specified outside of it',
          ),
        )
      this.#nested(child, known, `${at}.properties[${key}]`, depth + 1)
    }
    if (part.items !== undefined) {
      if (outside?.items === undefined)
        this.add(
          fieldError.required(
            `${at}.items`,
            'because it is specified inside of a logical junctor, it must also be specified outside of it',
          ),
        )
      this.#nested(part.items, outside?.items, `${at}.items`, depth + 1)
    }
    if (part.pattern !== undefined) {
      const compiled = compilePattern(part.pattern)
      if ('fault' in compiled)
        this.add(fieldError.invalid(`${at}.pattern`, part.pattern, `must be a valid regular expression, but isn't: ${compiled.fault}`))
    }
    this.#logic(part, outside, at, depth)
  }
}

/**
 * Whether a custom resource's schema is structural, as apiextensions.k8s.io/v1 demands: types everywhere, nothing but value validation
 * inside logical junctors, consistent list and map types, patterns that compile, defaults that are valid.
 * `at` is the path of the schema itself. Returns at most 100 faults.
 */
export function checkStructural(schema: Schema, at = 'openAPIV3Schema'): FieldError[] {
  const check = new StructuralCheck()
  check.schema(schema, at, 'root', 0)
  return check.errors
}
