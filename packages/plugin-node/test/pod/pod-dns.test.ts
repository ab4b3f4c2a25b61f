import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PodView } from '../../src/pod/model.ts'
import { podDns } from '../../src/pod/pod-dns.ts'

const cluster = { domain: 'cluster.local', nameservers: ['127.96.0.10'] }
let directory: string
let file: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'continuo-pod-dns-'))
  file = join(directory, 'resolv.conf')
  await writeFile(file, 'nameserver 192.0.2.1\n')
})
afterAll(() => rm(directory, { recursive: true }))

const pod = (spec: Partial<NonNullable<PodView['spec']>>): PodView => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'p' },
  spec: { containers: [], dnsPolicy: 'ClusterFirst', ...spec },
})

describe('what the runtime is told of names', () => {
  it('is the name server of the cluster', () => {
    expect(podDns(pod({}), { cluster, file })).toEqual({
      dns: {
        nameservers: ['127.96.0.10'],
        searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
        options: ['ndots:5'],
      },
      problems: [],
    })
  })

  it('is nothing where the pod has what the machine has', () => {
    expect(podDns(pod({ dnsPolicy: 'Default' }), { cluster, file })).toEqual({ problems: [] })
    expect(podDns(pod({ hostNetwork: true }), { cluster, file })).toEqual({ problems: [] })
    expect(podDns(pod({}), { file })).toEqual({ problems: [] })
  })

  it('is what the machine has and what the pod adds, where the cluster has no name server', () => {
    const { dns } = podDns(pod({ dnsConfig: { searches: ['example.com'] } }), { file })
    expect(dns).toEqual({ nameservers: ['192.0.2.1'], searches: ['example.com'], options: [] })
  })

  it('does without a file of the machine', () => {
    expect(podDns(pod({ dnsPolicy: 'Default' }), { cluster, file: join(directory, 'none') })).toEqual({ problems: [] })
    expect(podDns(pod({}), { cluster, file: join(directory, 'none') }).dns?.nameservers).toEqual(['127.96.0.10'])
  })
})
