import { isRecord, setOwn } from '@continuo/core'
import { CelEvaluationError } from '../cel-error.ts'
import { MessageValue } from '../evaluate/message-value.ts'
import type { Meter } from '../evaluate/meter.ts'
import { elementsOf } from './collections.ts'
import { JsonObject } from './json-values.ts'
import { formatDuration, formatTimestamp } from './time.ts'
import { CelList, CelMap, Duration, Optional, Timestamp, typeNameOf, Uint, type Value } from './value.ts'

/** A value as JSON. Charges for each part; throws for what JSON has no form of: types, quantities, keys that are no strings. */
export function toJson(value: Value, meter: Meter): unknown {
  meter.charge(1)
  switch (typeof value) {
    case 'bigint':
      return integer(value)
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw new CelEvaluationError(`${value} has no form in JSON`)
      return value
    default:
      return compound(value, meter)
  }
}

function integer(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new CelEvaluationError(`integer ${value} is beyond what JSON keeps exactly`)
  return number
}

function compound(value: Value, meter: Meter): unknown {
  if (value === null) return null
  if (value instanceof CelList) return elementsOf(value).map((item) => toJson(item, meter))
  if (value instanceof JsonObject) {
    const copy: Record<string, unknown> = {}
    for (const key of value.keys()) setOwn(copy, key, plain(value.raw(key), meter))
    return copy
  }
  if (value instanceof CelMap) {
    const record: Record<string, unknown> = {}
    for (const key of value.keys()) {
      if (typeof key !== 'string') throw new CelEvaluationError(`a key of type ${typeNameOf(key)} has no form in JSON`)
      setOwn(record, value instanceof MessageValue ? value.jsonName(key) : key, toJson(value.get(key) as Value, meter))
    }
    return record
  }
  if (value instanceof Uint) return integer(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof Optional && value.value !== undefined) return toJson(value.value, meter)
  throw new CelEvaluationError(`a value of type ${typeNameOf(value)} has no form in JSON`)
}

/** A copy of what was JSON before. */
function plain(value: unknown, meter: Meter): unknown {
  meter.charge(1)
  if (Array.isArray(value)) return value.map((item) => plain(item, meter))
  if (!isRecord(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) if (value[key] !== undefined) setOwn(copy, key, plain(value[key], meter))
  return copy
}
