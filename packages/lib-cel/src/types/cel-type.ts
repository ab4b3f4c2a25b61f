/** Types that are known by their kind alone. `free` is what an empty literal holds: it becomes whatever it meets. */
export type ScalarKind =
  | 'dyn' | 'free' | 'null' | 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'timestamp' | 'duration' | 'type' // biome-ignore format: one table

export interface ScalarType {
  readonly kind: ScalarKind
  /** The longest that a value can be, in characters or bytes, where a schema says so: cost is estimated from it. */
  readonly max?: number
  /** Whether JSON null is a value of it. */
  readonly nullable?: boolean
}

export interface ListType {
  readonly kind: 'list'
  readonly element: CelType
  readonly max?: number
  readonly nullable?: boolean
  /** A set compares without order, a map by the entries' keys; both concatenate by merging. Default: atomic. */
  readonly listType?: 'set' | 'map'
  readonly keys?: readonly string[]
}

export interface MapType {
  readonly kind: 'map'
  readonly key: CelType
  readonly value: CelType
  readonly max?: number
  readonly nullable?: boolean
}

export interface ObjectField {
  readonly type: CelType
  /** The name in JSON; the field's own name is escaped where CEL has no such identifier. */
  readonly jsonName: string
}

/** A message with known fields. Two are one type when they are one object, or bear one name that is not `object`. */
export interface ObjectType {
  readonly kind: 'object'
  readonly name: string
  readonly nullable?: boolean
  field(name: string): ObjectField | undefined
}

/** A type whose values only functions look into: `optional_type`, `kubernetes.Quantity`, an authorizer. */
export interface OpaqueType {
  readonly kind: 'opaque'
  readonly name: string
  readonly parameters: readonly CelType[]
  readonly nullable?: boolean
}

/** A variable of a signature: the same type wherever its name stands. */
export interface ParameterType {
  readonly kind: 'parameter'
  readonly name: string
}

export type CelType = ScalarType | ListType | MapType | ObjectType | OpaqueType | ParameterType

const scalar = (kind: ScalarKind): ScalarType => ({ kind })
const optionalName = 'optional_type'

/** Types by name, and how compound ones are made. */
export const cel = {
  dyn: scalar('dyn'),
  free: scalar('free'),
  null: scalar('null'),
  bool: scalar('bool'),
  int: scalar('int'),
  uint: scalar('uint'),
  double: scalar('double'),
  string: scalar('string'),
  bytes: scalar('bytes'),
  timestamp: scalar('timestamp'),
  duration: scalar('duration'),
  type: scalar('type'),
  list: (element: CelType, max?: number): ListType => ({ kind: 'list', element, ...(max === undefined ? {} : { max }) }),
  map: (key: CelType, value: CelType, max?: number): MapType => ({ kind: 'map', key, value, ...(max === undefined ? {} : { max }) }),
  /** An object with these fields; they may come later, as variables of a policy do. */
  object: (name: string, fields: Readonly<Record<string, CelType>>): ObjectType => ({
    kind: 'object',
    name,
    field: (field) => (Object.hasOwn(fields, field) ? { type: fields[field] as CelType, jsonName: field } : undefined),
  }),
  opaque: (name: string, ...parameters: CelType[]): OpaqueType => ({ kind: 'opaque', name, parameters }),
  optional: (of: CelType): OpaqueType => ({ kind: 'opaque', name: optionalName, parameters: [of] }),
} as const

export const isOptional = (type: CelType): type is OpaqueType => type.kind === 'opaque' && type.name === optionalName

/** Whether a type says nothing at compile time, so that values are looked at. */
export const isDynamic = (type: CelType): boolean => type.kind === 'dyn' || type.kind === 'free' || type.kind === 'parameter'

const shownScalars: Partial<Record<ScalarKind, string>> = {
  free: 'dyn',
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
}

/** A type as messages name it: `list(string)`, `map(string, dyn)`. */
export function showType(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${showType(type.element)})`
    case 'map':
      return `map(${showType(type.key)}, ${showType(type.value)})`
    case 'object':
    case 'parameter':
      return type.name
    case 'opaque':
      return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(showType).join(', ')})`
    default:
      return shownScalars[type.kind] ?? type.kind
  }
}
