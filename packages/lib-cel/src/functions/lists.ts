import { CelEvaluationError } from '../cel-error.ts'
import type { Meter } from '../evaluate/meter.ts'
import { elementsOf } from '../values/collections.ts'
import { equal } from '../values/equality.ts'
import { type CelList, Duration, Uint, type Value } from '../values/value.ts'
import { operators } from './operators.ts'
import { type CostRule, metered, type Overload } from './overload.ts'

const once: CostRule = { cost: (size) => Math.max(1, size) }
const pairs: CostRule = { cost: (a, b) => Math.max(1, a * b) }

/** The implementation of an operator on one type, for folding with it. */
function operator(name: string, type: string): (a: Value, b: Value, meter: Meter) => Value {
  const overload = operators.find(
    (candidate) => candidate.name === name && candidate.parameters[0]?.kind === type && candidate.parameters[1]?.kind === type,
  )
  return (a, b, meter) => overload?.call([a, b], meter) ?? null
}

const zeros: Readonly<Record<string, Value>> = { int: 0n, uint: new Uint(0n), double: 0, duration: new Duration(0n) }

const sums = Object.entries(zeros).map(([type, zero]) => {
  const add = operator('_+_', type)
  return metered(
    `list<${type}>`,
    `sum(): ${type}`,
    (list: CelList, meter: Meter) => elementsOf(list).reduce((sum, item) => add(sum, item, meter), zero),
    once,
  )
})

function best(name: 'min' | 'max', list: CelList, isBetter: (a: Value, b: Value) => Value): Value {
  const items = elementsOf(list)
  if (items.length === 0) throw new CelEvaluationError(`${name} called on empty list`)
  return items.reduce((chosen, item) => (isBetter(item, chosen) === true ? item : chosen))
}

const ordered = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'].flatMap((type) => {
  const less = operator('_<_', type)
  const greater = operator('_>_', type)
  return [
    metered(
      `list<${type}>`,
      'isSorted(): bool',
      (list: CelList, meter: Meter) =>
        elementsOf(list).every((item, i, items) => i === 0 || greater(items[i - 1] as Value, item, meter) === false),
      once,
    ),
    metered(`list<${type}>`, `min(): ${type}`, (list: CelList, meter: Meter) => best('min', list, (a, b) => less(a, b, meter)), once),
    metered(`list<${type}>`, `max(): ${type}`, (list: CelList, meter: Meter) => best('max', list, (a, b) => greater(a, b, meter)), once),
  ]
})

const contains = (list: CelList, item: Value, meter: Meter): boolean => elementsOf(list).some((other) => equal(other, item, meter))
const containsAll = (list: CelList, items: CelList, meter: Meter): boolean => {
  meter.charge(list.size * items.size)
  return elementsOf(items).every((item) => contains(list, item, meter))
}

export const lists: readonly Overload[] = [
  ...sums,
  ...ordered,
  metered(
    'list<A>',
    'indexOf(A): int',
    (list: CelList, item: Value, meter: Meter) => BigInt(elementsOf(list).findIndex((other) => equal(other, item, meter))),
    once,
  ),
  metered(
    'list<A>',
    'lastIndexOf(A): int',
    (list: CelList, item: Value, meter: Meter) => BigInt(elementsOf(list).findLastIndex((other) => equal(other, item, meter))),
    once,
  ),
  metered(undefined, 'sets.contains(list<A>, list<A>): bool', containsAll, pairs),
  metered(
    undefined,
    'sets.equivalent(list<A>, list<A>): bool',
    (a: CelList, b: CelList, meter: Meter) => containsAll(a, b, meter) && containsAll(b, a, meter),
    {
      cost: (a, b) => Math.max(1, 2 * a * b),
    },
  ),
  metered(
    undefined,
    'sets.intersects(list<A>, list<A>): bool',
    (a: CelList, b: CelList, meter: Meter) => {
      meter.charge(a.size * b.size)
      return elementsOf(a).some((item) => contains(b, item, meter))
    },
    pairs,
  ),
]
