import { CelEvaluationError } from '../cel-error.ts'
import { CelList, CelMap, Optional, type Value } from '../values/value.ts'
import { fn, method, type Overload } from './overload.ts'

export const none = new Optional(undefined)
export const optionalOf = (value: Value | undefined): Optional => (value === undefined ? none : new Optional(value))

const isZero = (value: Value): boolean =>
  value === null ||
  value === false ||
  value === '' ||
  value === 0 ||
  value === 0n ||
  ((value instanceof CelList || value instanceof CelMap) && value.size === 0)

function unwrap({ value }: Optional): Value {
  if (value === undefined) throw new CelEvaluationError('optional.none() dereference')
  return value
}

export const optionals: readonly Overload[] = [
  fn('optional.of(A): optional<A>', optionalOf),
  fn('optional.none(): optional<A>', () => none),
  fn('optional.ofNonZeroValue(A): optional<A>', (value: Value) => (isZero(value) ? none : optionalOf(value))),
  method('optional<A>', 'hasValue(): bool', ({ value }: Optional) => value !== undefined),
  method('optional<A>', 'value(): A', unwrap),
  method('optional<A>', 'or(optional<A>): optional<A>', (first: Optional, second: Optional) =>
    first.value === undefined ? second : first,
  ),
  method('optional<A>', 'orValue(A): A', ({ value }: Optional, otherwise: Value) => value ?? (value === null ? null : otherwise)),
]
