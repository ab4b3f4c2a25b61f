import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RouteKeeper } from '../src/route-keeper.ts'
import { RouteKeeper as Keeper } from '../src/route-keeper.ts'
import type { RoutedNetwork } from '../src/routed-network.ts'
import { addressSeen, inside, type Machine, machine, missing, range, routed, tellsAddress } from './machine.ts'

const pod = (name: string) => ({ uid: `uid-of-${name}`, namespace: 'default', name })

/** Two nodes and a switch; the switch's own address is what is outside of the cluster. */
async function twoNodes(host: Machine, between: 'routes' | 'vxlan') {
  const outside = await host.namespace('outside')
  inside(outside, 'ip', 'link', 'add', 'br0', 'type', 'bridge')
  inside(outside, 'ip', 'addr', 'add', '192.168.50.9/24', 'dev', 'br0')
  inside(outside, 'ip', 'link', 'set', 'br0', 'up')
  const mtu = between === 'vxlan' ? 1_450 : 1_500
  const nodes = []
  for (const index of [1, 2]) {
    const netns = await host.namespace(`node-${index}`)
    inside(outside, 'ip', 'link', 'add', `port${index}`, 'master', 'br0', 'type', 'veth', 'peer', 'name', 'uplink', 'netns', netns)
    inside(outside, 'ip', 'link', 'set', `port${index}`, 'up')
    inside(netns, 'ip', 'addr', 'add', `192.168.50.${index}/24`, 'dev', 'uplink')
    inside(netns, 'ip', 'link', 'set', 'uplink', 'up')
    inside(netns, 'ip', 'route', 'add', 'default', 'via', '192.168.50.9')
    const network = routed(netns, join(host.directory, `state-${index}`), { mtu })
    const keeper = new Keeper({ kernel: network.kernel, between, vxlan: { id: 173, port: 4_789 }, mtu })
    await network.open()
    nodes.push({ netns, network, keeper, address: `192.168.50.${index}`, ranges: [range(`10.77.${index}.0/24`)] })
  }
  for (const self of nodes) {
    await self.network.setRanges(self.ranges)
    await self.network.setClusterRanges(['10.77.0.0/16'])
    await self.keeper.sync(
      self,
      nodes.filter((node) => node !== self),
    )
  }
  const [a, b] = nodes as [Node, Node]
  return { outside, a, b }
}

interface Node {
  readonly netns: string
  readonly network: RoutedNetwork
  readonly keeper: RouteKeeper
  readonly address: string
  readonly ranges: ReturnType<typeof range>[]
}

describe.skipIf(missing)(`packets between pods, nodes and others${missing === undefined ? '' : ` (${missing})`}`, () => {
  let host: Machine
  const servers: { stop(): void }[] = []
  beforeEach(async () => {
    host = await machine()
  })
  afterEach(async () => {
    for (const server of servers.splice(0)) server.stop()
    await host.remove()
  })
  const serve = async (netns: string, port = 80): Promise<void> => void servers.push(await tellsAddress(netns, port))

  test.each(['routes', 'vxlan'] as const)('pods of two nodes see each other’s own addresses (%s)', async (between) => {
    const { a, b, outside } = await twoNodes(host, between)
    const [from, to] = [await a.network.attach(pod('a')), await b.network.attach(pod('b'))]
    await Promise.all([serve(to.netns), serve(outside)])
    expect(await addressSeen(from.netns, to.ips[0] ?? '', 80)).toBe(from.ips[0])
    expect(await addressSeen(from.netns, '192.168.50.9', 80), 'outside the node’s address is seen').toBe('192.168.50.1')
    expect(await addressSeen(b.netns, to.ips[0] ?? '', 80), 'its own node reaches a pod').toBeDefined()
  })

  test.each(['routes', 'vxlan'] as const)('what was removed comes back, and what is right is left alone (%s)', async (between) => {
    const { a, b } = await twoNodes(host, between)
    expect(await a.keeper.sync(a, [b])).toBe(0)
    if (between === 'vxlan') inside(a.netns, 'ip', 'link', 'del', 'cnx173')
    else inside(a.netns, 'ip', 'route', 'del', '10.77.2.0/24')
    expect(await a.keeper.sync(a, [b])).toBeGreaterThan(0)
    const [from, to] = [await a.network.attach(pod('a')), await b.network.attach(pod('b'))]
    await serve(to.netns)
    expect(await addressSeen(from.netns, to.ips[0] ?? '', 80)).toBe(from.ips[0])
    expect(await a.keeper.sync(a, [b]), 'routes to pods are not touched').toBe(0)
  })

  test.each(['routes', 'vxlan'] as const)('a node that leaves takes its routes along, and clear leaves nothing (%s)', async (between) => {
    const { a, b } = await twoNodes(host, between)
    await a.keeper.sync(a, [])
    expect(inside(a.netns, 'ip', 'route')).not.toContain('10.77.2.0')
    await a.keeper.sync(a, [b])
    await a.network.attach(pod('a'))
    inside(a.netns, 'nft', 'add', 'table', 'ip', 'foreign')
    await a.keeper.clear()
    await a.network.clear()
    expect(inside(a.netns, 'ip', 'route', 'show', 'proto', '173')).toBe('')
    expect(inside(a.netns, 'ip', '-o', 'link').match(/cn\w+/g)).toBeNull()
    expect(inside(a.netns, 'nft', 'list', 'ruleset').trim()).toMatch(/^table ip foreign \{\s*\}$/)
  })

  test('a port of the node leads to its pod: from outside, another node, pods, itself and its loopback address', async () => {
    const { a, b, outside } = await twoNodes(host, 'routes')
    const web = await a.network.attach({ ...pod('web'), hostPorts: [{ containerPort: 80, hostPort: 8_080, protocol: 'TCP' }] })
    const other = await b.network.attach(pod('other'))
    await serve(web.netns)
    const seen = await Promise.all([
      addressSeen(outside, '192.168.50.1', 8_080),
      addressSeen(b.netns, '192.168.50.1', 8_080),
      addressSeen(other.netns, '192.168.50.1', 8_080),
      addressSeen(a.netns, '192.168.50.1', 8_080),
      addressSeen(a.netns, '127.0.0.1', 8_080),
      addressSeen(web.netns, '192.168.50.1', 8_080),
    ])
    expect(seen.slice(0, 2)).toEqual(['192.168.50.9', '192.168.50.2'])
    expect(seen.every((address) => address !== undefined)).toBe(true)
    await a.network.detach(pod('web').uid)
    expect(await addressSeen(outside, '192.168.50.1', 8_080)).toBeUndefined()
  })

  test('a port of one address of the node is no port of the others', async () => {
    const { a, outside } = await twoNodes(host, 'routes')
    inside(a.netns, 'ip', 'addr', 'add', '192.168.50.7/24', 'dev', 'uplink')
    const port = { containerPort: 80, hostPort: 8_080, hostIP: '192.168.50.7', protocol: 'TCP' as const }
    const web = await a.network.attach({ ...pod('web'), hostPorts: [port] })
    await serve(web.netns)
    expect(await addressSeen(outside, '192.168.50.7', 8_080)).toBe('192.168.50.9')
    expect(await addressSeen(outside, '192.168.50.1', 8_080)).toBeUndefined()
  })

  test('rules that somebody removed come back, and ports outlive the agent', async () => {
    const { a, outside } = await twoNodes(host, 'routes')
    const web = await a.network.attach({ ...pod('web'), hostPorts: [{ containerPort: 80, hostPort: 8_080, protocol: 'TCP' }] })
    await serve(web.netns)
    inside(a.netns, 'nft', 'flush', 'ruleset')
    await a.network.mend()
    expect(await addressSeen(outside, '192.168.50.1', 8_080)).toBe('192.168.50.9')
    const next = routed(a.netns, join(host.directory, 'state-1'))
    await next.setRanges(a.ranges)
    await next.open()
    expect(await addressSeen(outside, '192.168.50.1', 8_080)).toBe('192.168.50.9')
  })

  test('a restarted agent removes interfaces and namespaces that belong to nobody, and nobody else’s', async () => {
    const { a } = await twoNodes(host, 'routes')
    await a.network.attach(pod('kept'))
    inside(a.netns, 'ip', 'link', 'add', 'cn00000000000', 'type', 'veth', 'peer', 'name', 'stray')
    inside(a.netns, 'ip', 'link', 'add', 'cnfoo', 'type', 'veth', 'peer', 'name', 'theirs')
    await routed(a.netns, join(host.directory, 'state-1')).open()
    const links = inside(a.netns, 'ip', '-o', 'link')
    expect(links).not.toContain('cn00000000000')
    expect(links).toContain('cnfoo')
    expect(links.match(/cn[0-9a-f]{11}@/g)).toHaveLength(1)
  })

  test('a pod waits for the range of its node, and says so when none comes', async () => {
    const netns = await host.namespace('node')
    const network = routed(netns, join(host.directory, 'state'), { rangeWaitMs: 10_000 })
    const waiting = network.attach(pod('early'))
    await network.setRanges([range('10.77.0.0/24')])
    expect((await waiting).ips).toEqual(['10.77.0.1'])
    const other = routed(await host.namespace('other'), join(host.directory, 'other-state'))
    await expect(other.attach(pod('early'))).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE' })
  })
})
