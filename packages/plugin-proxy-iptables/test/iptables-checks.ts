import { equal, notEqual, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import type { NetworkLab } from '@continuo/testkit'
import type { KernelProxy, ProxyServicePort, ProxyState, ServiceProxy } from '@continuo/workload'

const iptables = (args: string): string => execFileSync('iptables', args.split(' '), { encoding: 'utf8' })
/** Without counters and dates; chains of the kernel's own that are empty count for nothing. */
const rules = (): string =>
  execFileSync('iptables-save', { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('-A') || /^:CONTINUO|^:FOREIGN/.test(line))
    .sort()
    .join('\n')

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

/** What only iptables can be asked. */
export const iptablesChecks: Readonly<Record<string, (lab: NetworkLab, proxy: ServiceProxy) => Promise<void>>> = {
  async 'puts back what somebody removed, by the guard and by a resync'(lab, proxy) {
    const state = stateOf(web(lab.a.ip))
    await proxy.apply({ state })
    const whole = rules()
    for (const damage of ['-t nat -F PREROUTING', '-t nat -F CONTINUO-PORTALS', '-F INPUT', '-t nat -A CONTINUO-MASQ -j RETURN']) {
      iptables(damage)
      await (proxy as KernelProxy).guard()
      equal(rules(), whole, damage)
    }
    for (const damage of ['-t nat -F CONTINUO-SERVICES', '-t nat -I CONTINUO-SERVICES -p tcp -j RETURN', '-t nat -F']) {
      iptables(damage)
      notEqual(await answer(lab), 'a', damage)
      await proxy.apply({ state })
      equal(rules(), whole, damage)
      equal(await answer(lab), 'a', damage)
    }
  },
  async 'makes a change although somebody removed its rules'(lab, proxy) {
    await proxy.apply({ state: stateOf(web(lab.a.ip)) })
    iptables('-t nat -F')
    iptables('-t nat -X')
    await proxy.apply({ state: stateOf(web(lab.b.ip)), changed: new Set(['lab/web:http']) })
    equal(await answer(lab), 'b')
  },
  async 'touches no rule of anybody else, and leaves nothing'(lab, proxy) {
    iptables('-N FOREIGN')
    iptables('-A FOREIGN -p tcp --dport 9 -j DROP')
    iptables('-A INPUT -j FOREIGN')
    const before = rules()
    await proxy.apply({ state: stateOf(web(lab.a.ip, { nodePort: 30_080, sessionAffinitySeconds: 10 })) })
    ok(rules().includes('CONTINUO-SERVICES'))
    await proxy.clear()
    equal(rules(), before)
    for (const undo of ['-D INPUT -j FOREIGN', '-F FOREIGN', '-X FOREIGN']) iptables(undo)
  },
}
