import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import type { NetworkLab } from '@continuo/testkit'
import type { KernelProxy, ProxyServicePort, ProxyState, ServiceProxy } from '@continuo/workload'

const nft = (...args: readonly string[]): string => execFileSync('nft', args, { encoding: 'utf8' })
const ruleset = (): string => nft('-s', 'list', 'ruleset')

const vip = '10.96.0.30'
const web = (ip: string, more: Partial<ProxyServicePort> = {}): ProxyServicePort => ({
  id: 'lab/web:http',
  namespace: 'lab',
  service: 'web',
  portName: 'http',
  protocol: 'TCP',
  clusterIPs: [vip],
  externalIPs: [],
  loadBalancerIPs: [],
  port: 80,
  internalTrafficPolicy: 'Cluster',
  externalTrafficPolicy: 'Cluster',
  endpoints: [{ ip, port: 8080, ready: true, serving: true, terminating: false, nodeName: 'here' }],
  ...more,
})
const stateOf = (...ports: readonly ProxyServicePort[]): ProxyState => ({
  nodeName: 'here',
  ports: new Map(ports.map((port) => [port.id, port])),
})
const answer = async (lab: NetworkLab): Promise<string> => (await lab.client.tcp(vip, 80)).split(' ')[0] as string

/** What only nftables can be asked. */
export const nftChecks: Readonly<Record<string, (lab: NetworkLab, proxy: ServiceProxy) => Promise<void>>> = {
  async 'puts back what somebody removed, by the guard and by a resync'(lab, proxy) {
    const state = stateOf(
      web(lab.a.ip),
      web(lab.b.ip, { id: 'lab/sticky:http', service: 'sticky', clusterIPs: ['10.96.0.31'], sessionAffinitySeconds: 60 }),
    )
    await proxy.apply({ state })
    const whole = ruleset()
    for (const damage of [
      'flush ruleset',
      'delete table ip continuo',
      'flush table ip continuo',
      'flush chain ip continuo services',
      'add rule ip continuo services drop',
    ]) {
      nft(...damage.split(' '))
      await (proxy as KernelProxy).guard()
      equal(await answer(lab), 'a', damage)
      equal(ruleset().length, whole.length, damage)
    }
    nft('flush', 'map', 'ip', 'continuo', 'service')
    notEqual(await answer(lab), 'a')
    await proxy.apply({ state })
    equal(await answer(lab), 'a')
    equal(ruleset().length, whole.length)
  },
  async 'makes a change although somebody removed its table'(lab, proxy) {
    await proxy.apply({ state: stateOf(web(lab.a.ip)) })
    nft('delete', 'table', 'ip', 'continuo')
    await proxy.apply({ state: stateOf(web(lab.b.ip)), changed: new Set(['lab/web:http']) })
    equal(await answer(lab), 'b')
  },
  async 'touches no rule of anybody else, and leaves nothing'(lab, proxy) {
    nft('add', 'table', 'ip', 'foreign')
    nft('add chain ip foreign mine { type filter hook input priority 0; }')
    nft('add rule ip foreign mine tcp dport 9 drop')
    const before = ruleset()
    await proxy.apply({ state: stateOf(web(lab.a.ip, { nodePort: 30_080, sessionAffinitySeconds: 10 })) })
    ok(ruleset().includes('table ip continuo'))
    await proxy.clear()
    equal(ruleset(), before)
    nft('delete', 'table', 'ip', 'foreign')
  },
  async 'takes over the rules of its last life and changes what differs'(lab, proxy) {
    await proxy.apply({
      state: stateOf(web(lab.a.ip), web(lab.b.ip, { id: 'lab/other:http', service: 'other', clusterIPs: ['10.96.0.31'] })),
    })
    const before = nft('-a', 'list', 'chain', 'ip', 'continuo', 'services')
    const { changes } = await (proxy as KernelProxy & { constructor: unknown }).apply({ state: stateOf(web(lab.b.ip)) })
    ok(changes > 0 && changes < 8, `${changes} changes`)
    equal(nft('-a', 'list', 'chain', 'ip', 'continuo', 'services'), before)
    equal(await answer(lab), 'b')
  },
  async 'reads a name that holds a command as a name'(lab, proxy) {
    const evil = web(lab.a.ip, {
      namespace: 'x }',
      service: '; flush ruleset;',
      portName: '\n delete table ip continuo',
      sessionAffinitySeconds: 5,
    })
    await proxy.apply({ state: stateOf(evil) })
    equal(await answer(lab), 'a')
    const { problems } = await proxy.apply({ state: stateOf(web(lab.a.ip, { clusterIPs: [vip, '1.1.1.1 }; flush ruleset'] })) })
    deepEqual(
      problems.map(({ reason }) => reason),
      ['AddressNotAllowed'],
    )
    equal(await answer(lab), 'a')
  },
}
