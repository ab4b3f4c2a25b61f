import type { Meter } from '../evaluate/meter.ts'
import { type CelType, cel } from '../types/cel-type.ts'
import type { Value } from '../values/value.ts'

/** What a call costs and how large its result may be, from the sizes of its arguments. Both rise with the sizes: the same rule estimates and charges. */
export interface CostRule {
  readonly cost?: (...sizes: number[]) => number
  /** Absent: nothing is known. */
  readonly size?: (...sizes: number[]) => number
  /** It walks the characters of a list's strings: estimates take their sum for the list's size. */
  readonly flattens?: boolean
}

/** One form of a function. Its arguments have been checked against the parameters' kinds; a method's first one is its receiver. */
export interface Overload extends CostRule {
  /** As it is called: `size`, `sets.contains`, `_+_`. */
  readonly name: string
  readonly method: boolean
  readonly parameters: readonly CelType[]
  readonly result: CelType
  readonly call: (args: readonly Value[], meter: Meter) => Value
}

// biome-ignore lint/suspicious/noExplicitAny: a signature in text says what the types are; nothing else may call it
type Implementation = (...args: any[]) => Value

/** Opaque types by the names that signatures use. */
export const opaqueTypes = {
  quantity: cel.opaque('kubernetes.Quantity'),
  url: cel.opaque('kubernetes.URL'),
  ip: cel.opaque('net.IP'),
  cidr: cel.opaque('net.CIDR'),
  semver: cel.opaque('kubernetes.Semver'),
  namedFormat: cel.opaque('kubernetes.NamedFormat'),
} as const

function splitTopLevel(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const letter of text) {
    if (letter === '<') depth++
    if (letter === '>') depth--
    if (letter === ',' && depth === 0) {
      parts.push(part.trim())
      part = ''
    } else part += letter
  }
  return part.trim() === '' ? parts : [...parts, part.trim()]
}

/** `list<string>`, `map<string, dyn>`, `optional<A>`, `quantity`; a single capital is a parameter. */
function readType(text: string): CelType {
  if (/^[A-Z]$/.test(text)) return { kind: 'parameter', name: text }
  const compound = /^(list|map|optional)<(.+)>$/.exec(text)
  if (compound !== null) {
    const [first = cel.dyn, second = cel.dyn] = splitTopLevel(compound[2] as string).map(readType)
    return compound[1] === 'list' ? cel.list(first) : compound[1] === 'map' ? cel.map(first, second) : cel.optional(first)
  }
  if (Object.hasOwn(opaqueTypes, text)) return opaqueTypes[text as keyof typeof opaqueTypes]
  return cel[text as 'dyn' | 'string']
}

function declare(receiver: string | undefined, signature: string, call: Overload['call'], rule: CostRule): Overload {
  const [, name = '', parameters = '', result = ''] = /^([^(]+)\((.*)\): (.+)$/.exec(signature) ?? []
  return {
    name,
    method: receiver !== undefined,
    parameters: [...(receiver === undefined ? [] : [receiver]), ...splitTopLevel(parameters)].map(readType),
    result: readType(result),
    call,
    ...rule,
  }
}

/** @example fn('size(string): int', (text: string) => BigInt(length(text))) */
export const fn = (signature: string, call: Implementation, rule: CostRule = {}): Overload =>
  declare(undefined, signature, (args) => call(...args), rule)

/** @example method('string', 'startsWith(string): bool', (text: string, prefix: string) => text.startsWith(prefix)) */
export const method = (receiver: string, signature: string, call: Implementation, rule: CostRule = {}): Overload =>
  declare(receiver, signature, (args) => call(...args), rule)

/** A function that charges by itself for what it walks: its implementation gets the meter last. */
export const metered = (receiver: string | undefined, signature: string, call: Implementation, rule: CostRule = {}): Overload =>
  declare(receiver, signature, (args, meter) => call(...args, meter), rule)

/** Walking a string once. */
export const perCharacter = (size: number): number => Math.ceil(size * 0.1)

/** A function of its first argument's length, whose result is at most as long. */
export const walksFirst: CostRule = { cost: (size) => perCharacter(size), size: (size) => size }
