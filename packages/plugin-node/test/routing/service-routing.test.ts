import { createHost, definePlugin, type Host, memoryStore, type ObjectClient, ObjectClientCap } from '@continuo/core'
import { eventually } from '@continuo/testkit'
import { EndpointSlice, type ProxyProblem, type ProxyState, Service, ServiceProxyCap, workloadKinds } from '@continuo/workload'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { serviceRouting } from '../../src/index.ts'
import { flakyClient } from '../agent/flaky-client.ts'

/** A proxy that keeps what it was told. */
class FakeProxy {
  readonly name = 'fake'
  readonly updates: { readonly state: ProxyState; readonly changed?: ReadonlySet<string> }[] = []
  problems: readonly ProxyProblem[] = []
  failing = false
  cleared = false

  async apply(update: { readonly state: ProxyState; readonly changed?: ReadonlySet<string> }) {
    if (this.failing) throw new TypeError('the kernel said no')
    this.updates.push(update)
    return { changes: 1, problems: this.problems }
  }

  async clear(): Promise<void> {
    this.cleared = true
  }

  get state(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...(this.updates.at(-1)?.state.ports ?? [])].map(([id, port]) => [id, port.endpoints.map(({ ip }) => ip)]))
  }
}

let control: Host
let node: Host
let client: ObjectClient
let proxy: FakeProxy
let writesFail = false

beforeEach(async () => {
  writesFail = false
  proxy = new FakeProxy()
  control = createHost({
    name: 'control',
    role: 'control-plane',
    leaderElection: false,
    plugins: [
      { slot: 'store', plugin: memoryStore },
      { slot: 'kinds', plugin: workloadKinds },
    ],
  })
  await control.start()
  client = control.use(ObjectClientCap)
  const fake = definePlugin({
    name: 'proxy-fake',
    api: '^1',
    roles: ['node'],
    provides: [ServiceProxyCap],
    setup: (ctx) => ctx.provide(ServiceProxyCap, proxy),
  })
  node = createHost({
    name: 'n1',
    role: 'node',
    inherit: [[ObjectClientCap, flakyClient(client, { fails: ({ verb }) => writesFail && verb === 'patch' })]],
    plugins: [
      { slot: 'proxy', plugin: fake },
      { slot: 'routing', plugin: serviceRouting, config: { nodeName: 'n1', resyncMs: 100 } },
    ],
  })
  await node.start()
  await eventually(async () => proxy.updates.length > 0, 'the first state')
})
afterEach(async () => {
  await node.stop()
  await control.stop()
})

const service = (name: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { clusterIP: '127.96.0.9', clusterIPs: ['127.96.0.9'], ports: [{ name: 'http', port: 8080, protocol: 'TCP' }] },
})
const slice = (name: string, ...addresses: string[]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
})
const condition = async () =>
  (await client.for(Service).get('default/web')).status?.conditions?.find(({ type }) => type === 'continuo.dev/ProxyProgrammed')
const problem = { id: 'default/web:http', reason: 'PortInUse', message: 'cannot listen on 127.96.0.9:8080/TCP' }
const routed = (endpoints: readonly string[]) =>
  eventually(async () => JSON.stringify(proxy.state) === JSON.stringify({ 'default/web:http': endpoints }), `routes to ${endpoints}`)

it('gives the proxy services with the endpoints of all their slices, and names what changed', async () => {
  await client.for(Service).create(service('web'))
  await client.for(EndpointSlice).create(slice('a', '10.0.0.1'))
  await client.for(EndpointSlice).create(slice('b', '10.0.0.2'))
  await routed(['10.0.0.1', '10.0.0.2'])
  expect(proxy.updates.some(({ changed }) => changed?.has('default/web:http'))).toBe(true)
  await client.for(EndpointSlice).delete('default/a')
  await routed(['10.0.0.2'])
  await client.for(Service).delete('default/web')
  await eventually(async () => Object.keys(proxy.state).length === 0, 'the end of the routes')
})

it('tries again when the proxy fails, with the whole state', async () => {
  proxy.failing = true
  await client.for(Service).create(service('web'))
  proxy.failing = false
  await routed([])
})

it('shows a problem on the service, and that it is over', async () => {
  proxy.problems = [problem]
  await client.for(Service).create(service('web'))
  await eventually(async () => (await condition())?.status === 'False', 'the condition')
  expect(await condition()).toMatchObject({ reason: 'PortInUse', message: problem.message })
  proxy.problems = []
  await eventually(async () => (await condition())?.status === 'True', 'the end of the problem')
})

it('goes on routing while problems cannot be told, and tells them later', async () => {
  writesFail = true
  proxy.problems = [problem]
  await client.for(Service).create(service('web'))
  await client.for(EndpointSlice).create(slice('a', '10.0.0.1'))
  await routed(['10.0.0.1'])
  expect(await condition()).toBeUndefined()
  writesFail = false
  await eventually(async () => (await condition())?.status === 'False', 'the condition')
})

it('clears the proxy when it stops', async () => {
  await node.stop()
  expect(proxy.cleared).toBe(true)
})
