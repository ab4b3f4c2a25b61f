import {
  addQuantities,
  compareQuantities,
  type ExactQuantity,
  isQuantity,
  parseQuantity,
  quantityToNumber,
  subtractQuantities,
} from '@continuo/lib-quantity'
import { CelEvaluationError } from '../cel-error.ts'
import { OpaqueValue } from '../values/value.ts'
import { toInt } from './operators.ts'
import { fn, method, type Overload, walksFirst } from './overload.ts'

class QuantityValue extends OpaqueValue {
  readonly typeName = 'kubernetes.Quantity'
  readonly amount: ExactQuantity

  constructor(amount: ExactQuantity) {
    super()
    this.amount = amount
  }

  override equals(other: OpaqueValue): boolean {
    return other instanceof QuantityValue && compareQuantities(this.amount, other.amount) === 0
  }
}

function parse(text: string): QuantityValue {
  try {
    return new QuantityValue(parseQuantity(text))
  } catch (cause) {
    throw new CelEvaluationError(`quantity: ${(cause as Error).message}`)
  }
}

const nanosPerUnit = 1_000_000_000n
const isWhole = ({ amount }: QuantityValue): boolean => amount.nano % nanosPerUnit === 0n
const amountOf = (value: QuantityValue | bigint): ExactQuantity => (typeof value === 'bigint' ? parseQuantity(String(value)) : value.amount)

function asInteger(value: QuantityValue): bigint {
  if (!isWhole(value)) throw new CelEvaluationError('cannot convert value to integer')
  return toInt(value.amount.nano / nanosPerUnit)
}

const compare = (a: QuantityValue, b: QuantityValue): number => compareQuantities(a.amount, b.amount)
const sign = (value: number | bigint): bigint => (value < 0 ? -1n : value > 0 ? 1n : 0n)

export const quantities: readonly Overload[] = [
  fn('quantity(string): quantity', parse, walksFirst),
  fn('isQuantity(string): bool', (text: string) => isQuantity(text), walksFirst),
  method('quantity', 'isInteger(): bool', isWhole),
  method('quantity', 'asInteger(): int', asInteger),
  method('quantity', 'asApproximateFloat(): double', ({ amount }: QuantityValue) => quantityToNumber(amount)),
  method('quantity', 'sign(): int', ({ amount }: QuantityValue) => sign(amount.nano)),
  ...(['quantity', 'int'] as const).flatMap((other) => [
    method(
      'quantity',
      `add(${other}): quantity`,
      (a: QuantityValue, b: QuantityValue | bigint) => new QuantityValue(addQuantities(a.amount, amountOf(b))),
    ),
    method(
      'quantity',
      `sub(${other}): quantity`,
      (a: QuantityValue, b: QuantityValue | bigint) => new QuantityValue(subtractQuantities(a.amount, amountOf(b))),
    ),
  ]),
  method('quantity', 'isLessThan(quantity): bool', (a: QuantityValue, b: QuantityValue) => compare(a, b) < 0),
  method('quantity', 'isGreaterThan(quantity): bool', (a: QuantityValue, b: QuantityValue) => compare(a, b) > 0),
  method('quantity', 'compareTo(quantity): int', (a: QuantityValue, b: QuantityValue) => sign(compare(a, b))),
]
