import type { RuleChange } from '@continuo/workload'

/** Services of one restore are about so many: a larger one takes the nft backend many times as long. */
const batchObjects = 2_500

/**
 * What to give to `iptables-restore --noflush`, one text after the other, each a transaction for each of its tables. First what comes and what changes, in an
 * order in which each rule finds its target; then what goes. A change that fits one text is one transaction. Between texts every service that was programmed,
 * or has been, is routed. Pure.
 */
export function restoreInputs(changes: readonly RuleChange[]): readonly string[] {
  const coming = changes.filter(({ after }) => after !== undefined)
  const going = [...changes.filter(({ after }) => after === undefined)].reverse()
  // Rules, then the chains that refer to chains, then these.
  const rank = (key: string): number => (key.startsWith('jump ') || key.startsWith('rule ') ? 0 : 1)
  const removals = going.sort((a, b) => rank(a.key) - rank(b.key))
  if (changes.length <= batchObjects) return changes.length === 0 ? [] : [text(coming, removals, removals)]
  const texts: string[] = []
  for (let start = 0; start < coming.length; start += batchObjects) texts.push(text(coming.slice(start, start + batchObjects), [], []))
  // Chains that go may refer to each other, so all are emptied before the first is deleted.
  for (let start = 0; start < removals.length; start += batchObjects) texts.push(text([], removals.slice(start, start + batchObjects), []))
  for (let start = 0; start < removals.length; start += batchObjects) texts.push(text([], [], removals.slice(start, start + batchObjects)))
  return texts.filter((one) => one !== '')
}

interface Lines {
  readonly chains: string[]
  readonly rules: string[]
  readonly deleted: string[]
}

function text(coming: readonly RuleChange[], emptied: readonly RuleChange[], deleted: readonly RuleChange[]): string {
  const tables = new Map<string, Lines>()
  const of = (key: string): readonly [lines: Lines, kind: string, chain: string] => {
    const [kind = '', table = '', chain = ''] = key.split(' ', 3)
    let lines = tables.get(table)
    if (lines === undefined) {
      lines = { chains: [], rules: [], deleted: [] }
      tables.set(table, lines)
    }
    return [lines, kind, chain]
  }
  const goes = new Set(emptied.map(({ key }) => key))
  for (const { key, before } of emptied) {
    const [lines, kind, chain] = of(key)
    // Emptied with its chain.
    if (kind === 'rule' && goes.has(`open ${key.split(' ')[1]} ${chain}`)) continue
    if (kind === 'rule' || kind === 'jump') lines.rules.push(`-D ${chain} ${before}`)
    else lines.chains.push(`:${chain} - [0:0]`)
  }
  for (const { key, before, after = '' } of coming) {
    const [lines, kind, chain] = of(key)
    if (kind === 'chain' || kind === 'open') lines.chains.push(`:${chain} - [0:0]`)
    if (kind === 'chain') for (const rule of after.split('\n')) if (rule !== '') lines.rules.push(`-A ${chain} ${rule}`)
    if ((kind === 'rule' || kind === 'jump') && before !== undefined) lines.rules.push(`-D ${chain} ${before}`)
    if (kind === 'rule') lines.rules.push(`-A ${chain} ${after}`)
    if (kind === 'jump') lines.rules.push(`-I ${chain} ${after}`)
  }
  for (const { key } of deleted) {
    const [lines, kind, chain] = of(key)
    if (kind === 'chain' || kind === 'open') lines.deleted.push(`-X ${chain}`)
  }
  return [...tables]
    .filter(([, lines]) => lines.chains.length + lines.rules.length + lines.deleted.length > 0)
    .map(([table, lines]) => `*${table}\n${[...lines.chains.sort(), ...lines.rules, ...lines.deleted, 'COMMIT'].join('\n')}\n`)
    .join('')
}
