import { createHost, memoryStore, ObjectClientCap } from '@continuo/core'
import { EndpointSlice, Service, workloadKinds } from '@continuo/workload'
import { describe, expect, it, onTestFinished } from 'vitest'
import { kubeDns } from '../../src/index.ts'
import { kubeDnsObjects } from '../../src/kube-dns/kube-dns-objects.ts'

const key = { namespace: 'kube-system', name: 'kube-dns' }

describe('the service kube-dns', () => {
  it('has a slice for each family and port of its servers', () => {
    const servers = [
      { host: '192.0.2.1', port: 1053 },
      { host: '192.0.2.2', port: 1053 },
      { host: 'fd00::1', port: 1053 },
      { host: '192.0.2.3', port: 53 },
    ]
    const { service, slices } = kubeDnsObjects({ clusterIP: '10.96.0.10', port: 53, servers })
    expect(service.spec).toMatchObject({
      clusterIP: '10.96.0.10',
      ports: [
        { protocol: 'UDP', port: 53 },
        { protocol: 'TCP', port: 53 },
      ],
    })
    expect(
      slices.map(({ addressType, endpoints, ports }) => [addressType, endpoints?.map(({ addresses }) => addresses[0]), ports?.[0]?.port]),
    ).toEqual([
      ['IPv4', ['192.0.2.1', '192.0.2.2'], 1053],
      ['IPv6', ['fd00::1'], 1053],
      ['IPv4', ['192.0.2.3'], 53],
    ])
  })

  it('is made, and made again when somebody deletes it', async () => {
    const host = createHost({
      name: 'test',
      role: 'control-plane',
      plugins: [
        { slot: 'store', plugin: memoryStore },
        { slot: 'kinds', plugin: workloadKinds },
        { slot: 'kube-dns', plugin: kubeDns, config: { clusterIP: '10.96.0.10', servers: ['192.0.2.1:1053'] } },
      ],
    })
    await host.start()
    onTestFinished(() => host.stop())
    const client = host.use(ObjectClientCap)
    const made = (name = 'kube-dns-ipv4-1053') => client.for(EndpointSlice).get({ ...key, name })
    await expect.poll(() => made().catch(() => undefined)).toMatchObject({ endpoints: [{ addresses: ['192.0.2.1'] }] })
    await client.for(Service).delete(key)
    await client.for(EndpointSlice).delete({ ...key, name: 'kube-dns-ipv4-1053' })
    await expect
      .poll(() =>
        client
          .for(Service)
          .get(key)
          .catch(() => undefined),
      )
      .toMatchObject({ spec: { clusterIP: '10.96.0.10' } })
    await expect.poll(() => made().catch(() => undefined)).toBeDefined()
  })
})
