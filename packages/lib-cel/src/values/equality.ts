import type { Meter } from '../evaluate/meter.ts'
import { cel } from '../types/cel-type.ts'
import { escapeName } from '../types/escape-name.ts'
import { elementsOf } from './collections.ts'
import { JsonObject, wrapJson } from './json-values.ts'
import { CelList, CelMap, Duration, OpaqueValue, Optional, Timestamp, TypeValue, Uint, type Value } from './value.ts'

/** Equality of CEL: numbers by their value whatever their type, sets without order, associative lists by their keys. Charges for what it walks. */
export function equal(a: Value, b: Value, meter: Meter): boolean {
  if (a === b) return true
  if (typeof a === 'string' || typeof b === 'string' || typeof a === 'boolean' || typeof b === 'boolean' || a === null || b === null)
    return false
  const left = numeric(a)
  if (left !== undefined) {
    const right = numeric(b)
    // biome-ignore lint/suspicious/noDoubleEquals: an int equals a double of its value
    return right !== undefined && left == right
  }
  if (a instanceof CelList) return b instanceof CelList && listsEqual(a, b, meter)
  if (a instanceof CelMap) return b instanceof CelMap && mapsEqual(a, b, meter)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name
  if (a instanceof Optional)
    return b instanceof Optional && (a.value === undefined || b.value === undefined ? a.value === b.value : equal(a.value, b.value, meter))
  return a instanceof OpaqueValue && b instanceof OpaqueValue && a.typeName === b.typeName && a.equals(b)
}

export const numeric = (value: Value): bigint | number | undefined =>
  typeof value === 'bigint' || typeof value === 'number' ? value : value instanceof Uint ? value.value : undefined

function listsEqual(a: CelList, b: CelList, meter: Meter): boolean {
  if (a.size !== b.size) return false
  meter.charge(a.size)
  const listType = a.listType ?? b.listType
  if (listType === undefined) {
    for (let i = 0; i < a.size; i++) if (!equal(a.at(i), b.at(i), meter)) return false
    return true
  }
  const keys = listType === 'map' ? (a.listType === undefined ? b.keys : a.keys) : []
  const others = new Map<string, Value[]>()
  for (const item of elementsOf(b)) {
    const id = identityOf(item, keys)
    const bucket = others.get(id)
    if (bucket === undefined) others.set(id, [item])
    else bucket.push(item)
  }
  return elementsOf(a).every((item) => {
    const bucket = others.get(identityOf(item, keys)) ?? []
    const found = bucket.findIndex((other) => {
      // Items that are no scalars share a bucket.
      meter.charge(1)
      return equal(item, other, meter)
    })
    if (found < 0) return false
    bucket.splice(found, 1)
    return true
  })
}

/** A text that equal items share: of their keys, or of a scalar itself. */
export function identityOf(item: Value, keys: readonly string[]): string {
  if (keys.length > 0 && item instanceof CelMap)
    return JSON.stringify(keys.map((key) => identityOf(item.get(escapeName(key) ?? key) ?? null, [])))
  if (typeof item === 'object' && item !== null) return numeric(item)?.toString() ?? 'compound'
  return `${typeof item === 'string' ? 's' : ''}${String(item)}`
}

function mapsEqual(a: CelMap, b: CelMap, meter: Meter): boolean {
  if (a.size !== b.size) return false
  meter.charge(a.size)
  if (a instanceof JsonObject && b instanceof JsonObject) return objectsEqual(a, b, meter)
  return a.keys().every((key) => {
    const left = a.get(key)
    const right = b.get(key)
    return left !== undefined && right !== undefined && equal(left, right, meter)
  })
}

/** Unknown fields count too: they are compared as the JSON that they are. */
function objectsEqual(a: JsonObject, b: JsonObject, meter: Meter): boolean {
  return a.keys().every((key) => {
    const left = a.raw(key)
    const right = b.raw(key)
    if (left === undefined || right === undefined || left === null || right === null) return left === right
    const type = a.fieldType(key) ?? cel.dyn
    return equal(wrapJson(left, type), wrapJson(right, type), meter)
  })
}
