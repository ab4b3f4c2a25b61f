import type { AdmissionRequest, ApiError, CompanionWrite, UnstructuredObject } from '@continuo/core'
import type { Service, ServiceSpec } from '@continuo/workload'
import { expect, test } from 'vitest'
import { candidates, parsePorts, parseRange } from '../../src/service-allocator/ranges.ts'
import { ServiceAllocator } from '../../src/service-allocator/service-allocator.ts'
import { serviceOf } from '../objects.ts'

/** Applies claims as the store would: all or nothing. */
function allocator(range = '127.96.0.0/24', ports = '30000-30009') {
  const claims = new Map<string, string>()
  const target = new ServiceAllocator(parseRange(range)!, parsePorts(ports)!, () => 0.5)
  async function run(
    operation: AdmissionRequest['operation'],
    object: Service | undefined,
    oldObject?: Service,
    options: Record<string, unknown> = {},
  ): Promise<Service> {
    const writes: CompanionWrite[] = []
    const next = structuredClone(object)
    const request = {
      operation,
      object: next as unknown as UnstructuredObject,
      oldObject,
      options,
      name: object?.metadata.name ?? oldObject?.metadata.name ?? '',
      namespace: 'default',
      read: { claim: async (key: string) => claims.get(key) },
      companion: (write: CompanionWrite) => void writes.push(write),
    } as unknown as AdmissionRequest
    await target.admit(request)
    for (const write of writes) if (write.type === 'release') claims.delete(write.key)
    for (const write of writes) if (write.type === 'claim') claims.set(write.key, write.value)
    return next as Service
  }
  const create = (spec: Partial<ServiceSpec>, name = 'web') => run('CREATE', serviceOf(spec, name))
  return { claims, run, create }
}

const nodePort = { type: 'NodePort' as const }

test('gives an address above the reserved part and claims it for the service', async () => {
  const { create, claims } = allocator()
  const { spec } = await create({})
  expect(spec).toMatchObject({ clusterIPs: [spec?.clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
  expect(Number(spec?.clusterIP?.split('.')[3])).toBeGreaterThan(16)
  expect([...claims]).toEqual([[`allocations/service-addresses/${spec?.clusterIP}`, 'default/web']])
})

test('gives different addresses until the range is full, the reserved part last', async () => {
  const { create } = allocator('127.96.0.0/27')
  const given = new Set<string>()
  for (let i = 0; i < 30; i++) given.add((await create({}, `s${i}`)).spec?.clusterIP ?? '')
  expect(given.size).toBe(30)
  expect(given.has('127.96.0.0') || given.has('127.96.0.31')).toBe(false)
  await expect(create({}, 'late')).rejects.toThrow('failed to allocate a serviceIP: range is full')
})

test('honours an address that is asked for and refuses one that is taken or outside', async () => {
  const { create } = allocator()
  expect((await create({ clusterIP: '127.96.0.10' })).spec?.clusterIPs).toEqual(['127.96.0.10'])
  const refused = async (clusterIP: string) => create({ clusterIP }, 'other').catch((error: ApiError) => [error.reason, error.message])
  expect(await refused('127.96.0.10')).toEqual([
    'Invalid',
    'Service "other" is invalid: spec.clusterIPs: Invalid value: ["127.96.0.10"]: failed to allocate IP 127.96.0.10: provided IP is already allocated',
  ])
  expect(await refused('10.0.0.1')).toEqual([
    'Invalid',
    'Service "other" is invalid: spec.clusterIPs: Invalid value: ["10.0.0.1"]: failed to allocate IP 10.0.0.1: the provided IP (10.0.0.1) is not in the valid range. The range of valid IPs is 127.96.0.0/24',
  ])
})

test('gives headless and external services nothing', async () => {
  const { create, claims } = allocator()
  expect((await create({ clusterIP: 'None' })).spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] })
  expect((await create({ type: 'ExternalName', externalName: 'example.com' })).spec).not.toHaveProperty('clusterIP')
  expect(claims.size).toBe(0)
})

test('gives node ports, shared between protocols of the same port', async () => {
  const { create } = allocator()
  const ports = [
    { port: 53, protocol: 'UDP' as const, name: 'a' },
    { port: 53, protocol: 'TCP' as const, name: 'b' },
    { port: 80, protocol: 'TCP' as const, name: 'c' },
  ]
  const { spec } = await create({ ...nodePort, ports })
  const [a, b, c] = spec?.ports?.map((port) => port.nodePort) ?? []
  expect(a).toBe(b)
  expect(c).not.toBe(a)
  expect([a, c].every((port) => port! >= 30_000 && port! <= 30_009)).toBe(true)
})

test('honours a node port and refuses one that is taken or outside', async () => {
  const { create } = allocator()
  const wish = (port: number) => ({ ...nodePort, ports: [{ port: 80, nodePort: port, protocol: 'TCP' as const }] })
  expect((await create(wish(30_003))).spec?.ports?.[0]?.nodePort).toBe(30_003)
  await expect(create(wish(30_003), 'other')).rejects.toThrow(
    'Service "other" is invalid: spec.ports[0].nodePort: Invalid value: 30003: provided port is already allocated',
  )
  await expect(create(wish(80), 'other')).rejects.toThrow(
    'provided port is not in the valid range. The range of valid ports is 30000-30009',
  )
})

test('gives a health check port to load balancers that keep traffic local, and no node ports when told so', async () => {
  const { create, claims } = allocator()
  const { spec } = await create({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', allocateLoadBalancerNodePorts: false })
  expect(spec?.healthCheckNodePort).toBeGreaterThanOrEqual(30_000)
  expect(spec?.ports?.[0]?.nodePort).toBeUndefined()
  expect(claims.size).toBe(2)
})

test('releases with the service, but not while a finalizer holds it', async () => {
  const { create, run, claims } = allocator()
  const service = await create(nodePort)
  expect(claims.size).toBe(2)
  await run('DELETE', undefined, { ...service, metadata: { ...service.metadata, finalizers: ['example.com/hold'] } })
  await run('DELETE', undefined, service, { propagationPolicy: 'Foreground' })
  expect(claims.size).toBe(2)
  const going = { ...service, metadata: { ...service.metadata, deletionTimestamp: 'now', finalizers: ['example.com/hold'] } }
  await run('UPDATE', { ...going, metadata: { ...going.metadata, finalizers: [] } }, going)
  expect(claims.size).toBe(0)
  const again = await create(nodePort)
  await run('DELETE', undefined, again)
  expect(claims.size).toBe(0)
})

test('an update claims what is new, keeps what stays and releases the rest', async () => {
  const { create, run, claims } = allocator()
  const service = await create({})
  const exposed = await run('UPDATE', { ...service, spec: { ...service.spec, ...nodePort } }, service)
  expect(claims.size).toBe(2)
  const again = await run('UPDATE', exposed, exposed)
  expect(again.spec).toEqual(exposed.spec)
  const { nodePort: _, ...port } = exposed.spec!.ports![0]!
  await run('UPDATE', { ...exposed, spec: { ...exposed.spec, type: 'ClusterIP', ports: [port] } }, exposed)
  expect([...claims.keys()]).toEqual([`allocations/service-addresses/${service.spec?.clusterIP}`])
  await run('UPDATE', serviceOf({ type: 'ExternalName', externalName: 'example.com' }), service)
  expect(claims.size).toBe(0)
})

test('refuses families that the cluster does not have', async () => {
  const { create } = allocator()
  await expect(create({ ipFamilies: ['IPv6'] })).rejects.toThrow(
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  )
  await expect(create({ ipFamilyPolicy: 'RequireDualStack' })).rejects.toThrow('this cluster is not configured for dual-stack services')
  expect((await create({ ipFamilyPolicy: 'PreferDualStack' })).spec?.ipFamilies).toEqual(['IPv4'])
})

test('tries every offset of a range', () => {
  expect(new Set(candidates(30, () => 0.9)).size).toBe(30)
  expect([parseRange('10.0.0.0/33'), parseRange('10.0.0.1/24'), parseRange('x'), parsePorts('5-3')]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
