import { CelEvaluationError } from '../cel-error.ts'
import type { Meter } from '../evaluate/meter.ts'
import { elementsOf } from '../values/collections.ts'
import { formatDuration, formatTimestamp } from '../values/time.ts'
import { CelList, CelMap, Duration, sizeOf, Timestamp, TypeValue, typeNameOf, Uint, type Value } from '../values/value.ts'
import { showDouble } from './conversions.ts'
import { checkLength } from './operators.ts'
import { perCharacter } from './overload.ts'

const clause = /%(?:\.(\d+))?([a-zA-Z%])/g

/** `"%s is %d".format([…])`: the clauses are s, d, f, e, b, o, x and X. */
export function formatText(text: string, args: readonly Value[], meter: Meter): string {
  let next = 0
  let length = text.length
  const result = text.replace(clause, (_whole, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%'
    if (next >= args.length) throw new CelEvaluationError(`index ${next} out of range`)
    const shown = formatValue(verb, args[next++] as Value, precision === undefined ? undefined : Math.min(100, Number(precision)), meter)
    length += shown.length
    checkLength(length)
    return shown
  })
  return result
}

const noOverload = (verb: string, value: Value): CelEvaluationError =>
  new CelEvaluationError(`could not convert argument to ${verb} clause: unsupported type ${typeNameOf(value)}`)

function formatValue(verb: string, value: Value, precision: number | undefined, meter: Meter): string {
  switch (verb) {
    case 's':
      return show(value, meter)
    case 'd':
      return String(integer(verb, value))
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : integer(verb, value).toString(2)
    case 'o':
      return integer(verb, value).toString(8)
    case 'x':
    case 'X': {
      const digits =
        typeof value === 'string' || value instanceof Uint8Array
          ? Buffer.from(value as string).toString('hex')
          : integer(verb, value).toString(16)
      return verb === 'X' ? digits.toUpperCase() : digits
    }
    case 'f':
      return real(verb, value, (number) => number.toFixed(precision ?? 6))
    case 'e':
      return real(verb, value, (number) => number.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2'))
    default:
      throw new CelEvaluationError(`unrecognized formatting clause "${verb}"`)
  }
}

function integer(verb: string, value: Value): bigint {
  if (typeof value === 'bigint') return value
  if (value instanceof Uint) return value.value
  throw noOverload(verb, value)
}

function real(verb: string, value: Value, write: (value: number) => string): string {
  const number = typeof value === 'bigint' ? Number(value) : value instanceof Uint ? Number(value.value) : value
  if (typeof number !== 'number') throw noOverload(verb, value)
  return Number.isFinite(number) ? write(number) : showDouble(number)
}

/** Charges for each element: an expression may hold one list many times. */
function show(value: Value, meter: Meter): string {
  meter.charge(perCharacter(sizeOf(value)) + 1)
  if (typeof value === 'string') return value
  if (typeof value === 'number') return showDouble(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof TypeValue) return value.name
  if (value instanceof CelList)
    return `[${elementsOf(value)
      .map((item) => show(item, meter))
      .join(', ')}]`
  if (value instanceof CelMap) {
    const entries = value.keys().map((key) => `${show(key, meter)}: ${show(value.get(key) as Value, meter)}`)
    return `{${entries.sort().join(', ')}}`
  }
  throw noOverload('%s', value)
}
