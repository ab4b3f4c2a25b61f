import { isRecord } from '@continuo/core'
import { CelEvaluationError } from '../cel-error.ts'
import { type CelType, cel, type ObjectType } from '../types/cel-type.ts'
import { escapeName } from '../types/escape-name.ts'
import { parseDuration, parseTimestamp } from './time.ts'
import { CelList, CelMap, Duration, OpaqueValue, Timestamp, TypeValue, Uint, type Value } from './value.ts'

/** Reads no more of the JSON than an expression looks at. */
class JsonList extends CelList {
  readonly #json: readonly unknown[]
  readonly #element: CelType
  override readonly listType: 'set' | 'map' | undefined
  override readonly keys: readonly string[]

  constructor(json: readonly unknown[], type: CelType) {
    super()
    this.#json = json
    this.#element = type.kind === 'list' ? type.element : cel.dyn
    this.listType = type.kind === 'list' ? type.listType : undefined
    this.keys = type.kind === 'list' ? (type.keys ?? []) : []
  }

  get size(): number {
    return this.#json.length
  }

  at(index: number): Value {
    return wrapJson(this.#json[index], this.#element)
  }
}

class JsonMap extends CelMap {
  readonly #json: Readonly<Record<string, unknown>>
  readonly #value: CelType
  #keys: readonly string[] | undefined

  constructor(json: Readonly<Record<string, unknown>>, type: CelType) {
    super()
    this.#json = json
    this.#value = type.kind === 'map' ? type.value : cel.dyn
  }

  get size(): number {
    return this.keys().length
  }

  get(key: Value): Value | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.#json, key)) return undefined
    const value = this.#json[key]
    return value === undefined ? undefined : wrapJson(value, this.#value)
  }

  override has(key: string): boolean {
    return Object.hasOwn(this.#json, key) && this.#json[key] !== undefined
  }

  keys(): readonly string[] {
    this.#keys ??= Object.keys(this.#json).filter((key) => this.#json[key] !== undefined)
    return this.#keys
  }
}

/** A message: reads its fields under the types that a schema gives them. */
export class JsonObject extends CelMap {
  readonly #json: Readonly<Record<string, unknown>>
  readonly #type: ObjectType
  override readonly typeName: string

  constructor(json: Readonly<Record<string, unknown>>, type: ObjectType) {
    super()
    this.#json = json
    this.#type = type
    this.typeName = type.name
  }

  get size(): number {
    return this.keys().length
  }

  get(key: Value): Value | undefined {
    const field = typeof key === 'string' ? this.#type.field(key) : undefined
    if (field === undefined) return undefined
    const value = Object.hasOwn(this.#json, field.jsonName) ? this.#json[field.jsonName] : undefined
    return value === undefined || (value === null && !isNullable(field.type)) ? undefined : wrapJson(value, field.type)
  }

  /** By their names in JSON, unknown ones too: equality compares whole objects. */
  keys(): readonly string[] {
    return Object.keys(this.#json).filter((key) => this.#json[key] !== undefined)
  }

  /** The value of a JSON name, whether the type knows it or not. */
  raw(name: string): unknown {
    return Object.hasOwn(this.#json, name) ? this.#json[name] : undefined
  }

  /** The type of a JSON name. */
  fieldType(name: string): CelType | undefined {
    const escaped = escapeName(name)
    return escaped === undefined ? undefined : this.#type.field(escaped)?.type
  }
}

const isNullable = (type: CelType): boolean => type.kind === 'dyn' || ('nullable' in type && type.nullable === true)

const isValue = (value: object): value is Exclude<Value, null | boolean | bigint | number | string> =>
  value instanceof CelMap ||
  value instanceof CelList ||
  value instanceof OpaqueValue ||
  value instanceof Uint ||
  value instanceof Timestamp ||
  value instanceof Duration ||
  value instanceof TypeValue ||
  value instanceof Uint8Array

const invalidData = (expected: string, value: unknown): CelEvaluationError =>
  new CelEvaluationError(
    `invalid data, expected ${expected}, got ${value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value}`,
  )

/** A JSON value as CEL sees it under a type. What is a CEL value already stays. Throws when the value is not of the type. */
export function wrapJson(value: unknown, type: CelType): Value {
  if (typeof value === 'object' && value !== null && isValue(value)) return value
  if (value === null || value === undefined) {
    if (value === null && (isNullable(type) || type.kind === 'null')) return null
    throw new CelEvaluationError('invalid data, got null for schema with nullable=false')
  }
  switch (type.kind) {
    case 'int':
      if (typeof value === 'bigint') return value
      if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
      throw invalidData('int', value)
    case 'double':
      if (typeof value === 'number') return value
      if (typeof value === 'bigint') return Number(value)
      throw invalidData('double', value)
    case 'bool':
      if (typeof value === 'boolean') return value
      throw invalidData('bool', value)
    case 'string':
      if (typeof value === 'string') return value
      if (typeof value === 'number') return String(value)
      throw invalidData('string', value)
    case 'bytes':
      if (typeof value === 'string') return new Uint8Array(Buffer.from(value, 'base64'))
      throw invalidData('bytes', value)
    case 'timestamp':
      if (typeof value === 'string') return parseTimestamp(value)
      throw invalidData('timestamp', value)
    case 'duration':
      if (typeof value === 'string') return parseDuration(value)
      throw invalidData('duration', value)
    case 'list':
      if (Array.isArray(value)) return new JsonList(value, type)
      throw invalidData('list', value)
    case 'map':
      if (isRecord(value)) return new JsonMap(value, type)
      throw invalidData('map', value)
    case 'object':
      if (isRecord(value)) return new JsonObject(value, type)
      throw invalidData('object', value)
    default:
      return wrapUntyped(value)
  }
}

function wrapUntyped(value: unknown): Value {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? BigInt(value) : value
    case 'string':
    case 'boolean':
    case 'bigint':
      return value
    default:
      if (Array.isArray(value)) return new JsonList(value, cel.dyn)
      if (isRecord(value)) return new JsonMap(value, cel.dyn)
      throw invalidData('a JSON value', value)
  }
}
