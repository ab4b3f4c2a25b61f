import { RE2JS } from 're2js'
import { CelEvaluationError } from '../cel-error.ts'
import type { Meter } from '../evaluate/meter.ts'
import { ArrayList } from '../values/collections.ts'
import { type CostRule, fn, metered, method, type Overload } from './overload.ts'

const maxPattern = 10_000
const memoCapacity = 500
/** The one state is the memo of a pure function; the oldest goes first. */
const memo = new Map<string, RE2JS>()

/** Compiles in RE2 syntax, which runs in linear time. Throws what is wrong with the pattern. */
export function compileRegex(pattern: string): RE2JS {
  const known = memo.get(pattern)
  if (known !== undefined) return known
  if (pattern.length > maxPattern) throw new CelEvaluationError(`regular expression is longer than ${maxPattern} characters`)
  try {
    const compiled = RE2JS.compile(pattern)
    if (memo.size >= memoCapacity) memo.delete(memo.keys().next().value as string)
    memo.set(pattern, compiled)
    return compiled
  } catch (cause) {
    throw new CelEvaluationError(`invalid regular expression: ${(cause as Error).message}`)
  }
}

/** Each match costs a unit beside the walk: there may be one for each character. */
function findAll(text: string, pattern: string, most: bigint, meter: Meter): ArrayList {
  const found: string[] = []
  const matcher = compileRegex(pattern).matcher(text)
  while ((most < 0n || BigInt(found.length) < most) && matcher.find()) {
    meter.charge(1)
    found.push(matcher.group() ?? '')
  }
  return new ArrayList(found)
}

function find(text: string, pattern: string): string {
  const matcher = compileRegex(pattern).matcher(text)
  return matcher.find() ? (matcher.group() ?? '') : ''
}

const matching: CostRule = {
  cost: (text, pattern) => Math.max(1, Math.ceil((text + 1) * 0.1 * Math.max(1, pattern * 0.25))),
  size: (text) => text,
}

export const regex: readonly Overload[] = [
  method('string', 'matches(string): bool', (text: string, pattern: string) => compileRegex(pattern).test(text), matching),
  fn('matches(string, string): bool', (text: string, pattern: string) => compileRegex(pattern).test(text), matching),
  method('string', 'find(string): string', find, matching),
  metered(
    'string',
    'findAll(string): list<string>',
    (text: string, pattern: string, meter: Meter) => findAll(text, pattern, -1n, meter),
    matching,
  ),
  metered('string', 'findAll(string, int): list<string>', findAll, matching),
]
