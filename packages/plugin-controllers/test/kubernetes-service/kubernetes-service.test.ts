import {
  type AnyPlugin,
  createHost,
  definePlugin,
  Lease,
  MemoryStore,
  type ObjectClient,
  ObjectClientCap,
  StoreCap,
  systemClock,
} from '@continuo/core'
import { type ApiEndpoint, ApiEndpointCap, EndpointSlice, Endpoints, Service, workloadKinds } from '@continuo/workload'
import { describe, expect, it, onTestFinished } from 'vitest'
import { kubernetesService, serviceAllocator } from '../../src/index.ts'
import { liveReplicas, replicaLease } from '../../src/kubernetes-service/api-replica.ts'
import { desiredEndpoints, desiredService, desiredSlices } from '../../src/kubernetes-service/desired-service.ts'

const https = (ip: string, port = 6443) => ({ scheme: 'https', ip, port }) as const

describe('liveReplicas', () => {
  it('reads from leases who lives, in a stable order, and until when', () => {
    const leases = [
      replicaLease(https('10.0.0.2'), 1_000),
      replicaLease(https('10.0.0.1'), 5_000),
      replicaLease(https('fd00::1', 8443), 5_000),
    ]
    expect(liveReplicas(leases, 20_000)).toEqual({
      replicas: [https('10.0.0.1'), https('10.0.0.2'), https('fd00::1', 8443)],
      nextEnd: 31_000,
    })
    expect(liveReplicas(leases, 31_000).replicas).toEqual([https('10.0.0.1'), https('fd00::1', 8443)])
    expect(liveReplicas(leases, 40_000)).toEqual({ replicas: [], nextEnd: undefined })
  })

  it('passes over a lease without an address', () => {
    const [lease] = [replicaLease(https('10.0.0.1'), 0)]
    for (const address of ['', 'https://host:1', 'ftp://10.0.0.1:1', '10.0.0.1'])
      expect(
        liveReplicas([{ ...lease, metadata: { ...lease.metadata, annotations: { 'continuo.dev/api-address': address } } } as Lease], 0)
          .replicas,
      ).toEqual([])
  })
})

describe('what is published', () => {
  it('is one subset and one slice for each port and family', () => {
    const replicas = [https('10.0.0.1'), https('10.0.0.2'), https('10.0.0.3', 7443), https('fd00::1')]
    expect(
      desiredSlices(replicas).map((slice) => [slice.metadata.name, slice.addressType, slice.endpoints?.flatMap((one) => one.addresses)]),
    ).toEqual([
      ['kubernetes', 'IPv4', ['10.0.0.1', '10.0.0.2']],
      ['kubernetes-7443', 'IPv4', ['10.0.0.3']],
      ['kubernetes-v6-6443', 'IPv6', ['fd00::1']],
    ])
    expect(desiredEndpoints(replicas).subsets?.map(({ addresses }) => addresses?.length)).toEqual([2, 1, 1])
  })

  it('has the port of the API unless another is wanted', () => {
    expect(desiredService(https('10.0.0.1'), '10.96.0.1', undefined).spec?.ports?.[0]).toMatchObject({ port: 6443, targetPort: 6443 })
    expect(desiredService(https('10.0.0.1'), '10.96.0.1', 443).spec?.ports?.[0]).toMatchObject({ port: 443, targetPort: 6443 })
  })
})

async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  const deadline = systemClock.monotonic() + 5_000
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error
    }
    await systemClock.sleep(10)
  }
}

async function startReplica(store: MemoryStore, url: string): Promise<{ readonly client: ObjectClient; stop(): Promise<void> }> {
  const endpoint: ApiEndpoint = { url, issue: () => Promise.reject(new TypeError('nobody asks')) }
  const plugins: Record<string, AnyPlugin> = {
    store: definePlugin({ name: 'kept', api: '^1', provides: [StoreCap], setup: (ctx) => ctx.provide(StoreCap, store) }),
    kinds: workloadKinds,
    api: definePlugin({ name: 'api', api: '^1', provides: [ApiEndpointCap], setup: (ctx) => ctx.provide(ApiEndpointCap, endpoint) }),
    allocator: serviceAllocator,
    service: kubernetesService,
  }
  const host = createHost({
    name: url,
    role: 'control-plane',
    leaderElection: { leaseMs: 600, renewDeadlineMs: 400, retryMs: 50 },
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
  })
  await host.start()
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= host.stop())
  onTestFinished(stop)
  return { client: host.use(ObjectClientCap), stop }
}

const slice = (client: ObjectClient) => client.for(EndpointSlice).get('default/kubernetes')
const addresses = async (client: ObjectClient) => (await slice(client)).endpoints?.flatMap((endpoint) => endpoint.addresses)

it('is there with its address, follows replicas that come and go, and comes back when it is deleted', async () => {
  const store = new MemoryStore()
  const first = await startReplica(store, 'https://10.0.0.1:6443')
  const { client } = first
  await eventually(async () => {
    expect((await client.for(Service).get('default/kubernetes')).spec).toMatchObject({
      clusterIP: '127.96.0.1',
      type: 'ClusterIP',
      ports: [{ name: 'https', port: 6443, targetPort: 6443, protocol: 'TCP' }],
    })
    expect(await addresses(client)).toEqual(['10.0.0.1'])
    expect((await slice(client)).metadata.labels?.['kubernetes.io/service-name']).toBe('kubernetes')
    expect((await client.for(Endpoints).get('default/kubernetes')).subsets?.[0]).toMatchObject({
      addresses: [{ ip: '10.0.0.1' }],
      ports: [{ name: 'https', port: 6443 }],
    })
  })
  const second = await startReplica(store, 'https://10.0.0.2:6443')
  await eventually(async () => expect(await addresses(client)).toEqual(['10.0.0.1', '10.0.0.2']))
  await client.for(Service).delete('default/kubernetes')
  await eventually(async () => expect((await client.for(Service).get('default/kubernetes')).spec?.clusterIP).toBe('127.96.0.1'))
  await second.stop()
  await eventually(async () => expect(await addresses(client)).toEqual(['10.0.0.1']))
  await client.for(EndpointSlice).patch('default/kubernetes', { type: 'merge', body: { endpoints: [] } })
  await eventually(async () => expect(await addresses(client)).toEqual(['10.0.0.1']))
})

it('drops a replica whose lease has ended', async () => {
  const { client } = await startReplica(new MemoryStore(), 'https://10.0.0.1:6443')
  const dying = replicaLease(https('10.0.0.9'), systemClock.now() - 29_000)
  await client.for(Lease).create(dying)
  await eventually(async () => expect(await addresses(client)).toContain('10.0.0.9'))
  await eventually(async () => expect(await addresses(client)).toEqual(['10.0.0.1']))
})
