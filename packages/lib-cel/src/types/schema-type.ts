import { isIntOrString, isQuantity, objectMetaSchema, type Schema } from '@continuo/core'
import { type CelType, cel, type ObjectField, type ObjectType } from './cel-type.ts'
import { escapeName } from './escape-name.ts'

/** The longest request that the API takes: what is not bounded by the schema is bounded by this. */
const maxRequestBytes = 3 * 1024 * 1024

/** How a schema is read. */
export interface SchemaTypeOptions {
  /** The schema is a whole object's: `apiVersion`, `kind` and `metadata` are there whether it names them or not. */
  readonly root?: boolean
  /** Rules of custom resources see only name and generateName of metadata; policies see all. Default `name`. */
  readonly metadata?: 'name' | 'all'
}

const text = (max?: number): CelType => ({ kind: 'string', max: max ?? maxRequestBytes - 2 })

/** `metadata` as rules of custom resources see it. */
const nameOnly: Schema = { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } }

const memos = { name: new WeakMap<Schema, CelType>(), all: new WeakMap<Schema, CelType>() }
const rootMemos = { name: new WeakMap<Schema, CelType>(), all: new WeakMap<Schema, CelType>() }

/**
 * The type of the values of a schema, or undefined when expressions cannot look at them (no type, unknown fields kept).
 * The same schema object gives the same type, so that `self` and `oldSelf` are comparable.
 */
export function typeOfSchema(schema: Schema, options: SchemaTypeOptions = {}): CelType | undefined {
  const metadata = options.metadata ?? 'name'
  const isWhole = options.root === true || schema['x-kubernetes-embedded-resource'] === true
  // Both memos hold pure functions of an immutable schema.
  const memo = (isWhole ? rootMemos : memos)[metadata]
  const known = memo.get(schema)
  if (known !== undefined) return known
  const type = translate(schema, isWhole, metadata)
  if (type === undefined) return undefined
  const result: CelType = schema.nullable === true && type.kind !== 'parameter' ? { ...type, nullable: true } : type
  memo.set(schema, result)
  return result
}

function translate(schema: Schema, isWhole: boolean, metadata: 'name' | 'all'): CelType | undefined {
  if (isIntOrString(schema)) return { kind: 'dyn', max: schema.maxLength ?? maxRequestBytes - 2 }
  if (isQuantity(schema)) return text(schema.maxLength)
  switch (schema.type) {
    case 'boolean':
      return cel.bool
    case 'integer':
      return cel.int
    case 'number':
      return cel.double
    case 'string':
      return stringType(schema)
    case 'array':
      return listType(schema, metadata)
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? mapType(schema, schema.additionalProperties, metadata)
        : objectType(schema, isWhole, metadata)
    default:
      return isWhole ? objectType(schema, true, metadata) : undefined
  }
}

function stringType(schema: Schema): CelType {
  switch (schema.format) {
    case 'byte':
      return { kind: 'bytes', max: schema.maxLength ?? maxRequestBytes - 2 }
    case 'duration':
      return cel.duration
    case 'date':
    case 'date-time':
      return cel.timestamp
    default:
      // Lengths are code points, of up to four bytes each.
      return text(longestEnum(schema) ?? (schema.maxLength === undefined ? undefined : schema.maxLength * 4))
  }
}

const longestEnum = (schema: Schema): number | undefined =>
  schema.enum === undefined || schema.enum.length === 0 ? undefined : Math.max(...schema.enum.map((value) => String(value).length))

function listType(schema: Schema, metadata: 'name' | 'all'): CelType | undefined {
  const element = schema.items === undefined ? cel.dyn : typeOfSchema(schema.items, { metadata })
  if (element === undefined) return undefined
  const kind = schema['x-kubernetes-list-type']
  return {
    kind: 'list',
    element,
    max: schema.maxItems ?? most(smallestJson(schema.items)),
    ...(kind === 'set' || kind === 'map' ? { listType: kind } : {}),
    ...(kind === 'map' ? { keys: schema['x-kubernetes-list-map-keys'] ?? [] } : {}),
  }
}

function mapType(schema: Schema, values: Schema, metadata: 'name' | 'all'): CelType | undefined {
  const value = typeOfSchema(values, { metadata })
  return value === undefined ? undefined : cel.map(text(), value, schema.maxProperties ?? most(smallestJson(values) + 5))
}

/** How many elements of a size a request can hold, each with its comma. */
const most = (size: number): number => Math.floor((maxRequestBytes - 2) / (size + 1))

/** Bytes of the shortest JSON of a schema. */
function smallestJson(schema: Schema | undefined): number {
  if (schema === undefined) return 1
  switch (schema.type) {
    case 'string':
      return 2 + (schema.format === 'date-time' ? 20 : schema.format === 'date' ? 10 : (schema.minLength ?? 0))
    case 'boolean':
      return 4
    case 'array':
    case 'object': {
      const required = schema.required ?? []
      return required.reduce((sum, key) => sum + key.length + 4 + smallestJson(schema.properties?.[key]), 2)
    }
    default:
      return 1
  }
}

function objectType(schema: Schema, isWhole: boolean, metadata: 'name' | 'all'): ObjectType {
  const children = isWhole ? wholeProperties(schema, metadata) : (schema.properties ?? {})
  const escaped = new Map<string, string>()
  for (const key of Object.keys(children)) {
    const name = escapeName(key)
    if (name !== undefined) escaped.set(name, key)
  }
  const fields = new Map<string, ObjectField | undefined>()
  return {
    kind: 'object',
    name: schema.definition ?? 'object',
    field(name) {
      if (fields.has(name)) return fields.get(name)
      const jsonName = escaped.get(name)
      const type = jsonName === undefined ? undefined : typeOfSchema(children[jsonName] as Schema, { metadata })
      const field = jsonName === undefined || type === undefined ? undefined : { type, jsonName }
      // Only names of the schema are remembered: asked ones have no bound.
      if (jsonName !== undefined) fields.set(name, field)
      return field
    },
  }
}

function wholeProperties(schema: Schema, metadata: 'name' | 'all'): Readonly<Record<string, Schema>> {
  return {
    ...schema.properties,
    apiVersion: schema.properties?.apiVersion ?? { type: 'string' },
    kind: schema.properties?.kind ?? { type: 'string' },
    metadata: metadata === 'all' ? objectMetaSchema : nameOnly,
  }
}

/** How many values of a schema one request can hold, when nothing else bounds them. */
export const mostInRequest = (schema: Schema): number => most(smallestJson(schema))
