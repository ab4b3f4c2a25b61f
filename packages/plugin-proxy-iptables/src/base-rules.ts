import type { AddressFamily, RuleObjects } from '@continuo/workload'
import { marked } from './marks.ts'

export interface BaseRulesOptions {
  /** What the names of its chains begin with. */
  readonly prefix: string
  readonly podRanges: readonly string[]
  readonly serviceRanges: readonly string[]
  readonly nodePortRanges: readonly string[]
  readonly masqueradeMark: number
}

/*
 * Objects of the rules, by key: `chain TABLE NAME` (the value is its rules, a line each), `open TABLE NAME` (a chain whose rules are objects of
 * their own, because their order is all one), `rule TABLE CHAIN MARK` (such a rule), `jump TABLE CHAIN` (a rule in a chain of the kernel).
 */

/** What is there whatever services there are. Pure. */
export function baseRules(family: AddressFamily, options: BaseRulesOptions): RuleObjects {
  const { prefix, podRanges, serviceRanges, nodePortRanges, masqueradeMark } = options
  const made = new Map<string, string>()
  const chain = (table: string, name: string, ...rules: readonly string[]): void => {
    made.set(`chain ${table} ${prefix}-${name}`, rules.map(marked).join('\n'))
  }
  const jump = (table: string, from: string, rule: string): void => {
    made.set(`jump ${table} ${from}`, marked(rule))
  }
  const bit = `0x${masqueradeMark.toString(16)}`
  const loopback = family === 'ip' ? '127.0.0.0/8' : '::1/128'
  chain('nat', 'MASQ', `-j MARK --set-xmark ${bit}/${bit}`)
  chain('nat', 'OUTSIDE', ...podRanges.map((range) => `-s ${range} -j RETURN`), ...(podRanges.length === 0 ? [] : [`-j ${prefix}-MASQ`]))
  made.set(`open nat ${prefix}-SERVICES`, '')
  made.set(`open nat ${prefix}-NODEPORTS`, '')
  chain(
    'nat',
    'PORTALS',
    `-j ${prefix}-SERVICES`,
    ...(nodePortRanges.length === 0
      ? [`! -d ${loopback} -m addrtype --dst-type LOCAL -j ${prefix}-NODEPORTS`]
      : nodePortRanges.map((range) => `-d ${range} -m addrtype --dst-type LOCAL -j ${prefix}-NODEPORTS`)),
  )
  chain('nat', 'POST', `-m mark ! --mark ${bit}/${bit} -j RETURN`, `-j MARK --set-xmark 0x0/${bit}`, '-j MASQUERADE --random-fully')
  jump('nat', 'PREROUTING', `-j ${prefix}-PORTALS`)
  jump('nat', 'OUTPUT', `-j ${prefix}-PORTALS`)
  jump('nat', 'POSTROUTING', `-j ${prefix}-POST`)
  made.set(`open filter ${prefix}-REFUSED`, '')
  chain(
    'filter',
    'CHECK',
    `-j ${prefix}-REFUSED`,
    ...serviceRanges.flatMap((range) => [`-d ${range} -p tcp -j REJECT --reject-with tcp-reset`, `-d ${range} -j REJECT`]),
  )
  for (const hook of ['INPUT', 'FORWARD', 'OUTPUT'])
    jump('filter', hook, `-m conntrack --ctstate NEW -m conntrack ! --ctstate DNAT -j ${prefix}-CHECK`)
  return made
}
