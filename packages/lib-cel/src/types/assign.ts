import { type CelType, cel, isDynamic } from './cel-type.ts'

/** What the parameters of one call turned out to be. */
export type Bindings = Map<string, CelType>

const acceptsNull = (type: CelType): boolean =>
  type.kind === 'object' ||
  type.kind === 'opaque' ||
  type.kind === 'timestamp' ||
  type.kind === 'duration' ||
  ('nullable' in type && type.nullable === true)

/** Whether a value of `actual` may stand where `declared` is asked for; binds parameters of `declared` on the way. */
export function assign(actual: CelType, declared: CelType, bindings: Bindings): boolean {
  if (declared.kind === 'parameter') {
    const bound = bindings.get(declared.name)
    if (bound === undefined) {
      bindings.set(declared.name, actual)
      return true
    }
    const joined = join(bound, actual)
    if (joined === undefined) return false
    bindings.set(declared.name, joined)
    return true
  }
  if (isDynamic(actual) || isDynamic(declared)) return true
  if (actual.kind === 'null' && declared.kind !== 'null') return acceptsNull(declared)
  switch (declared.kind) {
    case 'list':
      return actual.kind === 'list' && assign(actual.element, declared.element, bindings)
    case 'map':
      return actual.kind === 'map' && assign(actual.key, declared.key, bindings) && assign(actual.value, declared.value, bindings)
    case 'object':
      return actual.kind === 'object' && (actual === declared || (actual.name === declared.name && actual.name !== 'object'))
    case 'opaque':
      return (
        actual.kind === 'opaque' &&
        actual.name === declared.name &&
        declared.parameters.every((parameter, i) => assign(actual.parameters[i] ?? cel.dyn, parameter, bindings))
      )
    default:
      return actual.kind === declared.kind
  }
}

/** The type that covers both, or undefined when they have nothing in common. */
export function join(a: CelType, b: CelType): CelType | undefined {
  if (a === b) return a
  if (a.kind === 'free') return b
  if (b.kind === 'free') return a
  if (isDynamic(a)) return a
  if (isDynamic(b)) return b
  if (a.kind === 'null' && b.kind !== 'null') return acceptsNull(b) ? b : undefined
  if (b.kind === 'null' && a.kind !== 'null') return acceptsNull(a) ? a : undefined
  if (a.kind === 'list' && b.kind === 'list') {
    const element = join(a.element, b.element)
    return element === undefined ? undefined : element === a.element ? a : cel.list(element)
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const key = join(a.key, b.key)
    const value = join(a.value, b.value)
    if (key === undefined || value === undefined) return undefined
    return key === a.key && value === a.value ? a : cel.map(key, value)
  }
  if (a.kind === 'opaque' && b.kind === 'opaque' && a.name === b.name) {
    const parameters = a.parameters.map((parameter, i) => join(parameter, b.parameters[i] ?? cel.dyn))
    return parameters.includes(undefined) ? undefined : cel.opaque(a.name, ...(parameters as CelType[]))
  }
  return assign(a, b, new Map()) ? a : undefined
}

/** A type with its parameters replaced by what they are bound to; unbound ones are dyn. */
export function substitute(type: CelType, bindings: Bindings): CelType {
  switch (type.kind) {
    case 'parameter':
      return bindings.get(type.name) ?? cel.dyn
    case 'list': {
      const element = substitute(type.element, bindings)
      return element === type.element ? type : { ...type, element }
    }
    case 'map': {
      const key = substitute(type.key, bindings)
      const value = substitute(type.value, bindings)
      return key === type.key && value === type.value ? type : { ...type, key, value }
    }
    case 'opaque':
      return type.parameters.length === 0
        ? type
        : { ...type, parameters: type.parameters.map((parameter) => substitute(parameter, bindings)) }
    default:
      return type
  }
}
