/**
 * What stands in a table, object by object. The key says what it is: `set NAME` and `map NAME` (the value declares it), `chain NAME`
 * (the value is its hook, when it has one, and its rules, a line each), `element SET KEY` (the value is what the key leads to; empty in a set).
 */
export type RuleSet = ReadonlyMap<string, string>

/** What has to be done to one object: undefined is "not there". */
export interface Change {
  readonly key: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** From one rule set to another. Pure. */
export function differences(before: RuleSet, after: RuleSet): readonly Change[] {
  const changes: Change[] = []
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
export function transaction(table: string, changes: readonly Change[]): readonly string[] {
  const commands: string[] = []
  const of = (kind: string): readonly (Change & { readonly name: string })[] =>
    changes.flatMap((change) => (change.key.startsWith(`${kind} `) ? [{ ...change, name: change.key.slice(kind.length + 1) }] : []))

  const containers = [
    ...of('set').map((change) => ({ ...change, kind: 'set' })),
    ...of('map').map((change) => ({ ...change, kind: 'map' })),
  ]
  for (const { kind, name, after } of containers) {
    if (after === undefined) continue
    commands.push(`add ${kind} ${table} ${name} { ${after} }`)
  }

  const chains = of('chain')
  for (const { name, before, after } of chains) {
    if (after === undefined) continue
    const hook = hookOf(after)
    if (before !== undefined && hookOf(before) !== hook) commands.push(`flush chain ${table} ${name}`, `delete chain ${table} ${name}`)
    else if (before !== undefined) commands.push(`flush chain ${table} ${name}`)
    commands.push(`add chain ${table} ${name}${hook === '' ? '' : ` { ${hook} }`}`)
  }
  for (const { name, after } of chains) for (const rule of rulesOf(after ?? '')) commands.push(`add rule ${table} ${name} ${rule}`)

  const removed = new Map<string, string[]>()
  const added = new Map<string, string[]>()
  const into = (lists: Map<string, string[]>, name: string, element: string): void => {
    const list = lists.get(name)
    if (list === undefined) lists.set(name, [element])
    else list.push(element)
  }
  for (const { name: element, before, after } of of('element')) {
    const end = element.indexOf(' ')
    const [set, key] = [element.slice(0, end), element.slice(end + 1)]
    if (before !== undefined) into(removed, set, key)
    if (after !== undefined) into(added, set, after === '' ? key : `${key} : ${after}`)
  }
  for (const [verb, lists] of [
    ['delete', removed],
    ['add', added],
  ] as const)
    for (const [set, elements] of lists)
      for (let start = 0; start < elements.length; start += batch)
        commands.push(`${verb} element ${table} ${set} { ${elements.slice(start, start + batch).join(', ')} }`)

  const gone = chains.filter(({ after }) => after === undefined)
  for (const { name } of gone) commands.push(`flush chain ${table} ${name}`)
  for (const { name } of gone) commands.push(`delete chain ${table} ${name}`)
  for (const { kind, name, after } of containers) if (after === undefined) commands.push(`delete ${kind} ${table} ${name}`)
  return commands
}

const hookOf = (chain: string): string => (chain.startsWith('type ') ? (chain.split('\n', 1)[0] as string) : '')
const rulesOf = (chain: string): readonly string[] => chain.split('\n').filter((line) => line !== '' && !line.startsWith('type '))
