import { createRequire } from 'node:module'

/** Loaded with the first pattern: only custom resources have some. */
const loadRe2 = (): typeof import('re2js') => createRequire(import.meta.url)('re2js')

/** A compiled pattern, or why it does not compile. */
export type CompiledPattern = { readonly test: (text: string) => boolean } | { readonly fault: string }

/**
 * Compiles a schema's `pattern` in RE2 syntax, which is that of Kubernetes and runs in linear time:
 * patterns of custom resources are written by users and may be hostile.
 */
export function compilePattern(pattern: string): CompiledPattern {
  if (pattern.length > 10_000) return { fault: 'pattern is longer than 10000 characters' }
  try {
    const compiled = loadRe2().RE2JS.compile(pattern)
    return { test: (text) => compiled.test(text) }
  } catch (error) {
    return { fault: (error as { message?: string }).message ?? 'invalid pattern' }
  }
}

/** A memo of {@link compilePattern}, with at most `capacity` entries; the oldest goes first. */
export function patternMemo(capacity: number): (pattern: string) => CompiledPattern {
  const memo = new Map<string, CompiledPattern>()
  return (pattern) => {
    const known = memo.get(pattern)
    if (known !== undefined) return known
    const compiled = compilePattern(pattern)
    if (memo.size >= capacity) memo.delete(memo.keys().next().value as string)
    memo.set(pattern, compiled)
    return compiled
  }
}

/** Shared by all validation in the process. The only state is the memo of a pure function. */
export const patternOf = patternMemo(1000)
