import { createHash } from 'node:crypto'

const hash = (text: string, encoding: 'base64url' | 'hex'): string => createHash('sha256').update(text).digest(encoding)

/** A rule with a comment by which it is known again: iptables prints rules in its own words, which differ between versions. */
export const marked = (rule: string): string => `-m comment --comment ${hash(rule, 'base64url').slice(0, 10).replaceAll('-', '.')} ${rule}`

const comment = /-m comment --comment "?([\w.]+)"?/

/** The mark of a rule, as it was written or as it was printed; undefined for somebody else's. */
export const markOf = (rule: string): string | undefined => comment.exec(rule)?.[1]

/** A name for a chain: at most 28 characters, which is what the kernel takes. */
export const chainName = (prefix: string, part: string, what: string): string =>
  `${prefix}-${part}-${hash(what, 'hex').toUpperCase()}`.slice(0, 28)
