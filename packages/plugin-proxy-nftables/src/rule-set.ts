import type { RuleChange, RuleObjects } from '@continuo/workload'

/*
 * What stands in a table, object by object. The key says what it is: `set NAME` and `map NAME` (the value declares it), `chain NAME`
 * (the value is its hook, when it has one, and its rules, a line each), `element SET KEY` (the value is what the key leads to; empty in a set).
 */

/** From one rule set to another. Pure. */
export function differences(before: RuleObjects, after: RuleObjects): readonly RuleChange[] {
  const changes: RuleChange[] = []
  for (const [key, value] of after) {
    const known = before.get(key)
    if (known !== value) changes.push({ key, before: known, after: value })
  }
  for (const [key, value] of before) if (!after.has(key)) changes.push({ key, before: value, after: undefined })
  return changes
}

/** Elements in one command: nft's parser is fastest with long lists, and a command must fit its buffer. */
const batch = 1_000

/**
 * The commands that make these changes, in the order in which each finds what it refers to: sets and empty chains, rules, elements,
 * then what is gone. To be given to `nft -f` as one transaction, so that no packet sees half of it. Pure.
 */
export function transaction(table: string, changes: readonly RuleChange[]): readonly string[] {
  const commands: string[] = []
  const { containers, chains, removed, added } = sorted(changes)
  for (const { key, after } of containers) if (after !== undefined) commands.push(`add ${within(table, key)} { ${after} }`)

  for (const { key, before, after } of chains) {
    if (after === undefined) continue
    const hook = hookOf(after)
    if (before !== undefined) commands.push(`flush ${within(table, key)}`)
    if (before !== undefined && hookOf(before) !== hook) commands.push(`delete ${within(table, key)}`)
    commands.push(`add ${within(table, key)}${hook === '' ? '' : ` { ${hook} }`}`)
  }
  for (const { key, after } of chains)
    for (const rule of rulesOf(after ?? '')) commands.push(`add rule ${table} ${key.slice('chain '.length)} ${rule}`)

  for (const [verb, lists] of [
    ['delete', removed],
    ['add', added],
  ] as const)
    for (const [set, elements] of lists)
      for (let start = 0; start < elements.length; start += batch)
        commands.push(`${verb} element ${table} ${set} { ${elements.slice(start, start + batch).join(', ')} }`)

  const gone = chains.filter(({ after }) => after === undefined)
  for (const { key } of gone) commands.push(`flush ${within(table, key)}`)
  for (const { key } of gone) commands.push(`delete ${within(table, key)}`)
  for (const { key, after } of containers) if (after === undefined) commands.push(`delete ${within(table, key)}`)
  return commands
}

interface Sorted {
  readonly containers: readonly RuleChange[]
  readonly chains: readonly RuleChange[]
  /** By the set that they are in. */
  readonly removed: ReadonlyMap<string, readonly string[]>
  readonly added: ReadonlyMap<string, readonly string[]>
}

function sorted(changes: readonly RuleChange[]): Sorted {
  const containers: RuleChange[] = []
  const chains: RuleChange[] = []
  const removed = new Map<string, string[]>()
  const added = new Map<string, string[]>()
  for (const change of changes) {
    const { key, before, after } = change
    if (!key.startsWith(element)) {
      const list = key.startsWith('chain ') ? chains : containers
      list.push(change)
      continue
    }
    const end = key.indexOf(' ', element.length)
    const [set, inside] = [key.slice(element.length, end), key.slice(end + 1)]
    if (before !== undefined) into(removed, set, inside)
    if (after !== undefined) into(added, set, after === '' ? inside : `${inside} : ${after}`)
  }
  return { containers, chains, removed, added }
}

const element = 'element '

function into(lists: Map<string, string[]>, name: string, item: string): void {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [item])
  else list.push(item)
}

/** `chain ip continuo services`: how commands name an object of the table. */
const within = (table: string, key: string): string => key.replace(' ', ` ${table} `)
const hookOf = (chain: string): string => (chain.startsWith('type ') ? (chain.split('\n', 1)[0] as string) : '')
const rulesOf = (chain: string): readonly string[] => chain.split('\n').filter((line) => line !== '' && !line.startsWith('type '))
