import { CelEvaluationError } from '../cel-error.ts'
import { CelList, CelMap, Uint, type Value } from './value.ts'

/** A list that an expression made. */
export class ArrayList extends CelList {
  readonly #items: readonly Value[]

  constructor(items: readonly Value[]) {
    super()
    this.#items = items
  }

  get size(): number {
    return this.#items.length
  }

  at(index: number): Value {
    return this.#items[index] as Value
  }
}

/** A list with a type of equality, such as the merge of two sets. */
export class MergedList extends ArrayList {
  override readonly listType: 'set' | 'map'
  override readonly keys: readonly string[]

  constructor(items: readonly Value[], listType: 'set' | 'map', keys: readonly string[]) {
    super(items)
    this.listType = listType
    this.keys = keys
  }
}

/** Two lists as one, without a copy of either: what `+` makes of large ones. */
export class JoinedList extends CelList {
  readonly size: number
  readonly #first: CelList
  readonly #second: CelList
  /** How many such lists stand inside of each other: what reading one element goes through. */
  readonly depth: number

  constructor(first: CelList, second: CelList) {
    super()
    this.#first = first
    this.#second = second
    this.size = first.size + second.size
    this.depth = 1 + Math.max(depthOf(first), depthOf(second))
  }

  at(index: number): Value {
    return index < this.#first.size ? this.#first.at(index) : this.#second.at(index - this.#first.size)
  }
}

export const depthOf = (list: CelList): number => (list instanceof JoinedList ? list.depth : 0)

/** A map that an expression made. Keys are strings, bools and numbers; an int and a uint of one value are one key. */
export class KeyedMap extends CelMap {
  readonly #entries = new Map<string, readonly [Value, Value]>()

  /** Throws when the key is there already, or is of a type that is no key. */
  add(key: Value, value: Value): void {
    const id = keyOf(key)
    if (id === undefined) throw new CelEvaluationError('unsupported key type')
    if (this.#entries.has(id)) throw new CelEvaluationError(`Failed with repeated key: ${String(key instanceof Uint ? key.value : key)}`)
    this.#entries.set(id, [key, value])
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Value): Value | undefined {
    const id = keyOf(key)
    return id === undefined ? undefined : this.#entries.get(id)?.[1]
  }

  keys(): readonly Value[] {
    return Array.from(this.#entries.values(), ([key]) => key)
  }
}

/** One text for keys that are equal; undefined for what cannot be a key. */
function keyOf(key: Value): string | undefined {
  switch (typeof key) {
    case 'string':
      return `s${key}`
    case 'boolean':
      return `b${key}`
    case 'bigint':
      return `n${key}`
    case 'number':
      return Number.isInteger(key) ? `n${BigInt(key)}` : undefined
    default:
      return key instanceof Uint ? `n${key.value}` : undefined
  }
}

/** The elements of a list, or the keys of a map, in order. */
export function elementsOf(range: CelList | CelMap): readonly Value[] {
  if (range instanceof CelMap) return range.keys()
  const items: Value[] = new Array(range.size)
  for (let i = 0; i < items.length; i++) items[i] = range.at(i)
  return items
}
