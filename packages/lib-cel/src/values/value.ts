import type { CelType } from '../types/cel-type.ts'

/** An unsigned integer: a type of its own beside int, which is a plain bigint. */
export class Uint {
  readonly value: bigint

  constructor(value: bigint) {
    this.value = value
  }
}

/** A moment, in nanoseconds since 1970. */
export class Timestamp {
  readonly nanos: bigint

  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** A length of time, in nanoseconds. */
export class Duration {
  readonly nanos: bigint

  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** A type as a value: `type(1)`, `int`. */
export class TypeValue {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

export abstract class CelList {
  abstract readonly size: number
  /** The element at an index that is within the list. */
  abstract at(index: number): Value
  /** How equality and concatenation see it. */
  readonly listType: 'set' | 'map' | undefined = undefined
  readonly keys: readonly string[] = []
}

/** A map, or a message: then its keys are its fields. */
export abstract class CelMap {
  abstract readonly size: number
  /** The value of a key, undefined when absent. */
  abstract get(key: Value): Value | undefined
  abstract keys(): readonly Value[]
  /** Whether `has()` is true of a field. */
  has(key: string): boolean {
    return this.get(key) !== undefined
  }
  /** What messages call the type of a message; undefined for a map. */
  readonly typeName: string | undefined = undefined
}

/** A value that only functions look into. Hosts make their own: an authorizer. */
export abstract class OpaqueValue {
  abstract readonly typeName: string
  /** Whether two values of this type are equal. */
  equals(other: OpaqueValue): boolean {
    return this === other
  }
  /** Rough length of what comparing it walks. */
  readonly size: number = 1
}

/** `optional.of(x)`, `a.?b`. */
export class Optional extends OpaqueValue {
  readonly typeName = 'optional_type'
  readonly value: Value | undefined

  constructor(value: Value | undefined) {
    super()
    this.value = value
  }
}

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint
  | Uint8Array
  | Timestamp
  | Duration
  | TypeValue
  | CelList
  | CelMap
  | OpaqueValue

/** The kind by which overloads are chosen when types are not known before. */
export function kindOf(value: Value): CelType['kind'] {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'bigint':
      return 'int'
    case 'boolean':
      return 'bool'
    case 'number':
      return 'double'
    default:
      if (value === null) return 'null'
      if (value instanceof CelList) return 'list'
      if (value instanceof CelMap) return value.typeName === undefined ? 'map' : 'object'
      if (value instanceof Uint) return 'uint'
      if (value instanceof Timestamp) return 'timestamp'
      if (value instanceof Duration) return 'duration'
      if (value instanceof OpaqueValue) return 'opaque'
      return value instanceof TypeValue ? 'type' : 'bytes'
  }
}

/** A value's type as `type()` and messages name it. */
export function typeNameOf(value: Value): string {
  const kind = kindOf(value)
  switch (kind) {
    case 'null':
      return 'null_type'
    case 'timestamp':
      return 'google.protobuf.Timestamp'
    case 'duration':
      return 'google.protobuf.Duration'
    case 'object':
      return (value as CelMap).typeName as string
    case 'opaque':
      return (value as OpaqueValue).typeName
    default:
      return kind
  }
}

/** What traversing a value costs: characters, bytes or elements; 1 for everything else. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 1
  if (value instanceof CelList || value instanceof CelMap || value instanceof OpaqueValue) return value.size
  return value instanceof Uint8Array ? value.length : 1
}
