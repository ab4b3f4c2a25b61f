import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { systemClock } from '@continuo/core'
import type { ProxyEndpoint, ProxyServicePort, ServiceProxy } from '@continuo/workload'
import { type LabPlace, NetworkLab } from './network-lab.ts'

/** What a check of real packets works with: the lab, and a proxy for its node that routes nothing yet. */
export interface PacketBench {
  readonly lab: NetworkLab
  readonly proxy: ServiceProxy
}

/** One duty of a proxy in the kernel, shown by packets between namespaces. */
export interface PacketCheck {
  readonly name: string
  run(bench: PacketBench): Promise<void>
}

const vip = '10.96.0.20'
const external = '203.0.113.7'
const podPort = 8080

const at = ({ ip }: LabPlace, more: Partial<ProxyEndpoint> = {}): ProxyEndpoint => ({
  ip,
  port: podPort,
  ready: true,
  serving: true,
  terminating: false,
  nodeName: ip.startsWith('10.244.2.') ? 'other' : 'here',
  ...more,
})

const service = (endpoints: readonly ProxyEndpoint[], more: Partial<ProxyServicePort> = {}): ProxyServicePort => ({
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
  endpoints,
  ...more,
})

const apply = async ({ proxy }: PacketBench, ...ports: readonly ProxyServicePort[]) =>
  proxy.apply({ state: { nodeName: 'here', zone: 'east', ports: new Map(ports.map((port) => [port.id, port])) } })

/** Answers of some connections, without the address that the server saw; each once, in order. */
async function answers(from: LabPlace, ip: string, port: number, count = 24): Promise<readonly string[]> {
  const found = new Set<string>()
  for (let index = 0; index < count; index++) found.add((await from.tcp(ip, port)).split(' ')[0] as string)
  return [...found].sort()
}

/** Address that the server saw. */
const seenBy = async (from: LabPlace, ip: string, port: number): Promise<string> => (await from.tcp(ip, port)).split(' ')[1] as string

/** What packets must do on a node whose services are routed by the kernel; pods of the lab are in `10.244.0.0/16`. */
export const packetChecks: readonly PacketCheck[] = [
  {
    name: 'leads a cluster IP to pods here and elsewhere, from the node, from a pod and from outside',
    async run(bench) {
      const { lab } = bench
      await apply(bench, service([at(lab.a), at(lab.b), at(lab.far)]))
      for (const from of [lab.node, lab.a, lab.client]) deepEqual(await answers(from, vip, 80, 40), ['a', 'b', 'far'], from.name)
    },
  },
  {
    name: 'shows pods the address of a pod that asks, and masquerades what comes from outside to a cluster IP',
    async run(bench) {
      const { lab } = bench
      await apply(bench, service([at(lab.b)]))
      equal(await seenBy(lab.a, vip, 80), lab.a.ip)
      notEqual(await seenBy(lab.client, vip, 80), lab.client.ip)
    },
  },
  {
    name: 'leads a pod to itself through its service, with one endpoint, with many and with affinity',
    async run(bench) {
      const { lab } = bench
      await apply(bench, service([at(lab.a)]))
      deepEqual(await answers(lab.a, vip, 80, 3), ['a'])
      await apply(bench, service([at(lab.a), at(lab.b)]))
      deepEqual(await answers(lab.a, vip, 80), ['a', 'b'])
      await apply(bench, service([at(lab.a)], { sessionAffinitySeconds: 60 }))
      deepEqual(await answers(lab.a, vip, 80, 3), ['a'])
    },
  },
  {
    name: 'answers on node ports, external addresses and addresses of load balancers, from outside, from pods and from the node',
    async run(bench) {
      const { lab } = bench
      await apply(bench, service([at(lab.a), at(lab.far)], { nodePort: 30_080, externalIPs: [external], loadBalancerIPs: ['203.0.113.8'] }))
      for (const from of [lab.client, lab.b, lab.node])
        for (const [ip, port] of [
          [NetworkLab.nodeIp, 30_080],
          [external, 80],
          ['203.0.113.8', 80],
        ] as const)
          deepEqual(await answers(from, ip, port, 16), ['a', 'far'], `${from.name} to ${ip}:${port}`)
      notEqual(await seenBy(lab.client, NetworkLab.nodeIp, 30_080), lab.client.ip)
    },
  },
  {
    name: 'keeps the address of a client outside with a Local policy, and leads it to pods of this node alone',
    async run(bench) {
      const { lab } = bench
      const local = { nodePort: 30_080, loadBalancerIPs: ['203.0.113.8'], externalTrafficPolicy: 'Local' } as const
      await apply(bench, service([at(lab.a), at(lab.far)], local))
      for (const [ip, port] of [
        [NetworkLab.nodeIp, 30_080],
        ['203.0.113.8', 80],
      ] as const) {
        deepEqual(await answers(lab.client, ip, port, 12), ['a'])
        equal(await seenBy(lab.client, ip, port), lab.client.ip)
        deepEqual(await answers(lab.b, ip, port), ['a', 'far'])
        deepEqual(await answers(lab.node, ip, port), ['a', 'far'])
      }
      await apply(bench, service([at(lab.far)], local))
      equal(await lab.client.tcp(NetworkLab.nodeIp, 30_080, 400), 'TIMEOUT')
      deepEqual(await answers(lab.b, NetworkLab.nodeIp, 30_080, 3), ['far'])
    },
  },
  {
    name: 'refuses at once where no endpoint is, at every address, and ports that a cluster IP does not have',
    async run(bench) {
      const { lab } = bench
      const all = { nodePort: 30_080, externalIPs: [external] }
      await apply(bench, service([], all))
      for (const from of [lab.node, lab.a, lab.client])
        for (const [ip, port] of [
          [vip, 80],
          [external, 80],
          [NetworkLab.nodeIp, 30_080],
        ] as const)
          equal(await from.tcp(ip, port), 'ECONNREFUSED', `${from.name} to ${ip}:${port}`)
      await apply(bench, service([at(lab.a)], all))
      for (const from of [lab.a, lab.client]) {
        equal(await from.tcp(vip, 81), 'ECONNREFUSED')
        deepEqual(await answers(from, vip, 80, 2), ['a'])
      }
    },
  },
  {
    name: 'keeps each client at its endpoint with affinity, and forgets it after the time',
    async run(bench) {
      const { lab } = bench
      const endpoints = [at(lab.a), at(lab.b), at(lab.far)]
      await apply(bench, service(endpoints, { sessionAffinitySeconds: 600, nodePort: 30_080 }))
      for (const from of [lab.a, lab.client, lab.node]) equal((await answers(from, vip, 80, 12)).length, 1, from.name)
      deepEqual(await answers(lab.client, NetworkLab.nodeIp, 30_080, 6), await answers(lab.client, vip, 80, 2))
      await apply(bench, service(endpoints, { sessionAffinitySeconds: 1 }))
      // Each time the second has passed the die is thrown again.
      const found = new Set<string>()
      const deadline = performance.now() + 15_000
      while (found.size < 2 && performance.now() < deadline) {
        found.add((await lab.client.tcp(vip, 80)).split(' ')[0] as string)
        await systemClock.sleep(1_300)
      }
      ok(found.size >= 2, 'the client was never led elsewhere')
    },
  },
  {
    name: 'ends flows of datagrams to an endpoint that is gone, and those that are older than the service',
    async run(bench) {
      const { lab } = bench
      const udp = { protocol: 'UDP', nodePort: 30_053 } as const
      // Begun before there is such a service: its flow leads nowhere.
      equal(await lab.client.udp(1, external, 80), 'TIMEOUT')
      await apply(bench, service([at(lab.a)], { ...udp, externalIPs: [external] }))
      ok((await lab.client.udp(1, external, 80)).startsWith('a '))
      const ask = [() => lab.client.udp(2, NetworkLab.nodeIp, 30_053), () => lab.b.udp(3, vip, 80), () => lab.node.udp(4, vip, 80)]
      const named = async (): Promise<readonly string[]> => Promise.all(ask.map(async (one) => (await one()).split(' ')[0] as string))
      deepEqual(await named(), ['a', 'a', 'a'])
      await apply(bench, service([at(lab.far)], udp))
      deepEqual(await named(), ['far', 'far', 'far'])
      await apply(bench, service([], udp))
      deepEqual(await named(), ['TIMEOUT', 'TIMEOUT', 'TIMEOUT'])
    },
  },
  {
    name: 'heeds hints of topology when each endpoint has them, and else does not',
    async run(bench) {
      const { lab } = bench
      await apply(bench, service([at(lab.a, { forZones: ['east'] }), at(lab.far, { forZones: ['west'] })]))
      deepEqual(await answers(lab.client, vip, 80, 12), ['a'])
      await apply(bench, service([at(lab.a, { forZones: ['east'] }), at(lab.far)]))
      deepEqual(await answers(lab.client, vip, 80, 24), ['a', 'far'])
    },
  },
  {
    name: 'routes IPv6 addresses of a service in two families',
    async run(bench) {
      const { lab } = bench
      const six = (ip: string, nodeName: string) => ({ ...at(lab.a), ip, nodeName })
      await apply(
        bench,
        service([at(lab.b), six('fd00:244:1::11', 'here'), six('fd00:244:2::13', 'other')], {
          clusterIPs: [vip, 'fd00:96::20'],
          nodePort: 30_080,
        }),
      )
      for (const from of [lab.node, lab.a, lab.client]) {
        deepEqual(await answers(from, 'fd00:96::20', 80), ['a', 'far'], from.name)
        deepEqual(await answers(from, vip, 80, 3), ['b'], from.name)
      }
      deepEqual(await answers(lab.client, NetworkLab.nodeIp6, 30_080), ['a', 'far'])
    },
  },
  {
    name: 'leads nobody to loopback, and says so',
    async run(bench) {
      const { lab } = bench
      const { problems } = await apply(
        bench,
        service([at(lab.a, { ip: '127.0.0.1' }), at(lab.b)], { nodePort: 30_080, externalIPs: ['127.0.0.9'] }),
      )
      deepEqual(
        problems.map(({ reason }) => reason),
        ['AddressNotAllowed'],
      )
      deepEqual(await answers(lab.client, vip, 80, 12), ['b'])
      equal((await apply(bench, service([at(lab.a, { ip: '127.0.0.1' })]))).problems[0]?.reason, 'AddressNotAllowed')
      equal(await lab.client.tcp(vip, 80), 'ECONNREFUSED')
      equal(await lab.node.tcp('127.0.0.1', 30_080), 'ECONNREFUSED')
    },
  },
  {
    name: 'lets a service take no address away from another, tells it, and gives it the address when it is free',
    async run(bench) {
      const { lab } = bench
      const first = service([at(lab.a)], { externalIPs: [external] })
      const thief = service([at(lab.b)], {
        id: 'a/thief:http',
        namespace: 'a',
        service: 'thief',
        clusterIPs: ['10.96.0.21'],
        externalIPs: [external, vip],
      })
      await apply(bench, first)
      const { problems } = await apply(bench, thief, first)
      deepEqual(
        problems.map(({ id, reason }) => [id, reason]),
        [['a/thief:http', 'PortInUse']],
      )
      deepEqual(await answers(lab.client, external, 80, 8), ['a'])
      deepEqual(await answers(lab.client, vip, 80, 8), ['a'])
      deepEqual((await apply(bench, thief)).problems, [])
      deepEqual(await answers(lab.client, external, 80, 8), ['b'])
    },
  },
]
