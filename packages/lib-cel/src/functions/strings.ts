import { CelEvaluationError } from '../cel-error.ts'
import type { Meter } from '../evaluate/meter.ts'
import { ArrayList, elementsOf } from '../values/collections.ts'
import type { CelList, CelMap, Value } from '../values/value.ts'
import { formatText } from './format-text.ts'
import { checkLength } from './operators.ts'
import { type CostRule, fn, metered, method, type Overload, perCharacter, walksFirst } from './overload.ts'

/** Strings count code points; only those with surrogates need to be taken apart. */
const isPlain = (text: string): boolean => !/[\ud800-\udfff]/.test(text)
const lengthOf = (text: string): number => (isPlain(text) ? text.length : Array.from(text).length)

/** From an index in code points to one in UTF-16 units, and back. */
const unitsOf = (text: string, points: number): number => (isPlain(text) ? points : Array.from(text).slice(0, points).join('').length)
const pointsOf = (text: string, units: number): number => (units < 0 || isPlain(text) ? units : Array.from(text.slice(0, units)).length)

function checkedIndex(text: string, index: bigint, most = lengthOf(text)): number {
  if (index < 0n || index > BigInt(most)) throw new CelEvaluationError(`index out of range: ${index}`)
  return Number(index)
}

function substring(text: string, start: bigint, end?: bigint): string {
  const length = lengthOf(text)
  const from = checkedIndex(text, start, length)
  const to = end === undefined ? length : checkedIndex(text, end, length)
  if (from > to) throw new CelEvaluationError(`invalid substring range. start: ${from}, end: ${to}`)
  return isPlain(text) ? text.slice(from, to) : Array.from(text).slice(from, to).join('')
}

function indexOf(text: string, part: string, from = 0n): bigint {
  const start = checkedIndex(text, from)
  return part === '' ? from : BigInt(pointsOf(text, text.indexOf(part, unitsOf(text, start))))
}

function lastIndexOf(text: string, part: string, from = BigInt(lengthOf(text))): bigint {
  const start = checkedIndex(text, from)
  return part === '' ? from : BigInt(pointsOf(text, text.lastIndexOf(part, unitsOf(text, start))))
}

function replace(text: string, part: string, by: string, most = -1n): string {
  const parts = split(text, part, most < 0n ? -1n : most + 1n)
  checkLength(text.length + Math.max(0, by.length - part.length) * (parts.length - 1))
  return parts.join(by)
}

function split(text: string, separator: string, most = -1n): string[] {
  if (most === 0n) return []
  const parts = separator === '' ? Array.from(text) : text.split(separator)
  const limit = Number(most)
  return limit < 0 || parts.length <= limit ? parts : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)]
}

function join(list: CelList, separator = ''): string {
  const parts = elementsOf(list)
  let length = separator.length * parts.length
  for (const part of parts) {
    if (typeof part !== 'string') throw new CelEvaluationError('join: no such overload')
    length += part.length
  }
  checkLength(length)
  return parts.join(separator)
}

const quotedLetters: Readonly<Record<string, string>> = {
  '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '\\': '\\\\', '"': '\\"',
} // biome-ignore format: one table
const quoted = (text: string): string => `"${Array.from(text, (letter) => quotedLetters[letter] ?? letter).join('')}"`

const productOfBoth: CostRule = { cost: (text, part) => Math.max(1, Math.ceil(text * 0.1 * (part * 0.1))) }
const shorter: CostRule = { cost: (_text, part) => perCharacter(part) }
const searching: CostRule = { cost: (text, part) => Math.max(1, Math.ceil(text * 0.1 * Math.max(1, part * 0.1))) }
const joining: CostRule = {
  cost: (size, by = 0) => Math.max(1, perCharacter(size * Math.max(1, by))),
  size: (size, by = 0) => size * (1 + by),
  flattens: true,
}

/** Parts cost a unit each beside the walk: there may be one for each character. */
function paid(parts: readonly Value[], meter: Meter): CelList {
  meter.charge(parts.length)
  return new ArrayList(parts)
}

const sizes: readonly Overload[] = (
  [
    ['string', (text: string) => BigInt(lengthOf(text))],
    ['bytes', (bytes: Uint8Array) => BigInt(bytes.length)],
    ['list<A>', (items: CelList) => BigInt(items.size)],
    ['map<A, B>', (items: CelMap) => BigInt(items.size)],
  ] as const
).flatMap(([type, size]) => [fn(`size(${type}): int`, size), method(type, 'size(): int', size)])

export const strings: readonly Overload[] = [
  ...sizes,
  method('string', 'contains(string): bool', (text: string, part: string) => text.includes(part), productOfBoth),
  method('string', 'startsWith(string): bool', (text: string, part: string) => text.startsWith(part), shorter),
  method('string', 'endsWith(string): bool', (text: string, part: string) => text.endsWith(part), shorter),
  method(
    'string',
    'charAt(int): string',
    (text: string, at: bigint) => substring(text, at, BigInt(Math.min(checkedIndex(text, at) + 1, lengthOf(text)))),
    {
      size: () => 2,
    },
  ),
  method('string', 'indexOf(string): int', indexOf, searching),
  method('string', 'indexOf(string, int): int', indexOf, searching),
  method('string', 'lastIndexOf(string): int', lastIndexOf, searching),
  method('string', 'lastIndexOf(string, int): int', lastIndexOf, searching),
  method('string', 'lowerAscii(): string', (text: string) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase()), walksFirst),
  method('string', 'upperAscii(): string', (text: string) => text.replace(/[a-z]+/g, (part) => part.toUpperCase()), walksFirst),
  method('string', 'trim(): string', (text: string) => text.replace(/^[\s\u0085\u180e]+/, '').trimEnd(), walksFirst),
  method('string', 'replace(string, string): string', replace, {
    cost: (text) => perCharacter(text),
    size: (text, _part, by) => text * Math.max(1, by) + by,
  }),
  method('string', 'replace(string, string, int): string', replace, {
    cost: (text) => perCharacter(text),
    size: (text, _part, by) => text * Math.max(1, by) + by,
  }),
  metered('string', 'split(string): list<string>', (text: string, by: string, meter: Meter) => paid(split(text, by), meter), walksFirst),
  metered(
    'string',
    'split(string, int): list<string>',
    (text: string, by: string, most: bigint, meter: Meter) => paid(split(text, by, most), meter),
    walksFirst,
  ),
  method('string', 'substring(int): string', substring, walksFirst),
  method('string', 'substring(int, int): string', substring, walksFirst),
  method('list<string>', 'join(): string', join, joining),
  method('list<string>', 'join(string): string', join, joining),
  metered('string', 'format(list<dyn>): string', (text: string, args: CelList, meter: Meter) => formatText(text, elementsOf(args), meter), {
    cost: (text) => perCharacter(text),
  }),
  fn('strings.quote(string): string', quoted, { ...walksFirst, size: (size) => size * 2 + 2 }),
  fn('jsonpatch.escapeKey(string): string', (text: string) => text.replaceAll('~', '~0').replaceAll('/', '~1'), {
    ...walksFirst,
    size: (size) => size * 2,
  }),
]
