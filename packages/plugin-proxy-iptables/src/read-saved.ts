import { markOf } from './marks.ts'

/** What of a rule can be compared with what is printed: the marks. */
export const signature = (key: string, value: string): string =>
  key.startsWith('open ') || key.startsWith('rule ')
    ? ''
    : value
        .split('\n')
        .map((rule) => (rule === '' ? '' : (markOf(rule) ?? '?')))
        .join('\n')

export interface Saved {
  /** By the keys of rule objects, each with its signature. */
  readonly signatures: ReadonlyMap<string, string>
  /** What was printed, for rules that have to be deleted in these words. */
  readonly texts: ReadonlyMap<string, string>
}

const tables = ['nat', 'filter']

/**
 * What `iptables-save` prints, as far as it belongs to the prefix. Pure.
 * @param open Names of chains whose rules are objects of their own.
 */
export function readSaved(saved: string, prefix: string, open: ReadonlySet<string>): Saved {
  const texts = new Map<string, string>()
  const rules = new Map<string, string[]>()
  let table = ''
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1)
    if (!tables.includes(table)) continue
    const chain = /^:(\S+)/.exec(line)?.[1]
    if (chain?.startsWith(`${prefix}-`)) {
      if (open.has(`${table} ${chain}`)) texts.set(`open ${table} ${chain}`, '')
      else rules.set(`chain ${table} ${chain}`, [])
    }
    const [, name = '', rule = ''] = /^-A (\S+) (.*)$/.exec(line) ?? []
    if (open.has(`${table} ${name}`)) {
      const key = `rule ${table} ${name} ${markOf(rule) ?? rule}`
      texts.set(texts.has(key) ? `${key} again` : key, rule)
    } else if (name.startsWith(`${prefix}-`)) rules.get(`chain ${table} ${name}`)?.push(rule)
    else if (new RegExp(` -[jg] ${prefix}-`).test(` ${rule}`))
      texts.set(texts.has(`jump ${table} ${name}`) ? `jump ${table} ${name} again` : `jump ${table} ${name}`, rule)
  }
  for (const [key, lines] of rules) texts.set(key, lines.join('\n'))
  return { texts, signatures: new Map([...texts].map(([key, value]) => [key, signature(key, value)])) }
}
