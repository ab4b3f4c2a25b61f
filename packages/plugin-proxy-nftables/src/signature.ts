import { createHash } from 'node:crypto'

/** A rule with a mark by which it is known again: nft prints rules in its own words, which differ between versions, and keeps comments. */
export const marked = (rule: string): string => `${rule} comment "${createHash('sha256').update(rule).digest('base64url').slice(0, 8)}"`

const mark = / comment "([^"]*)"$/

/**
 * What the kernel can be asked about an object, to compare it with what should be there: of a chain its hook and the marks of its rules,
 * of a set that it is there. A rule without a mark counts as one that nobody wanted. Pure.
 */
export function signature(key: string, value: string): string {
  if (key.startsWith('element ')) return value
  if (!key.startsWith('chain ')) return ''
  return value
    .split('\n')
    .map((line) => (line.startsWith('type ') ? line : (mark.exec(line)?.[1] ?? '')))
    .join('\n')
}
