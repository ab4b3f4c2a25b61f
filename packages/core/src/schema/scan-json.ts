const quote = 0x22
const backslash = 0x5c

/** What a quick look at JSON text tells, without building anything. */
export interface JsonScan {
  /** Pairs of key and value in the text; more than the parsed value has when a key is repeated. */
  readonly pairs: number
  readonly depth: number
  /** True when some number is so long that it might be an integer beyond 2^53. */
  readonly longNumber: boolean
}

/** Position just after the string whose opening quote is at `start`. */
export function skipString(text: string, start: number): number {
  let i = start + 1
  for (;;) {
    i = text.indexOf('"', i)
    if (i < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(i - 1 - slashes) === backslash) slashes++
    i++
    if (slashes % 2 === 0) return i
  }
}

/** Reads JSON text once. The text need not be valid: the answer is then meaningless, and the parser will say so. */
export function scanJson(text: string): JsonScan {
  let pairs = 0
  let depth = 0
  let deepest = 0
  let digits = 0
  let longNumber = false
  for (let i = 0; i < text.length; ) {
    const ch = text.charCodeAt(i)
    if (ch >= 0x30 && ch <= 0x39) {
      if (++digits >= 16) longNumber = true
      i++
      continue
    }
    digits = 0
    if (ch === quote) {
      i = skipString(text, i)
      continue
    }
    if (ch === 0x3a) pairs++
    else if (ch === 0x7b || ch === 0x5b) {
      if (++depth > deepest) deepest = depth
    } else if (ch === 0x7d || ch === 0x5d) depth--
    i++
  }
  return { pairs, depth: deepest, longNumber }
}

/** Pairs of key and value in a parsed value. */
export function countPairs(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) for (const item of value) count += countPairs(item)
  else
    for (const key of Object.keys(value)) {
      count += 1 + countPairs((value as Record<string, unknown>)[key])
    }
  return count
}
