import type { EndpointSlice } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { isNodeUser, nodeOfPath, upgradePath } from '../../src/connections/protocol.ts'
import { replicaOrigins } from '../../src/connections/replicas.ts'

const slice = (addresses: readonly string[], port: number, name = 'https'): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'kubernetes', namespace: 'default' },
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  ports: [{ name, port, protocol: 'TCP' }],
})

describe('replicas of the API', () => {
  it('are those of the slices, each once', () => {
    expect(replicaOrigins([slice(['10.0.0.2', '10.0.0.1'], 6443), slice(['10.0.0.1'], 6443)], 'https://lb:443')).toEqual([
      'https://10.0.0.1:6443',
      'https://10.0.0.2:6443',
    ])
    expect(replicaOrigins([slice(['fd00::1'], 6443)], 'https://lb')).toEqual(['https://[fd00::1]:6443'])
  })

  it('are where the node joined while no slice says more', () => {
    expect(replicaOrigins([], 'https://lb:7443/base')).toEqual(['https://lb:7443'])
  })

  it('are not on the loopback of another machine', () => {
    expect(replicaOrigins([slice(['127.0.0.1'], 6443)], 'https://10.0.0.9:6443')).toEqual(['https://10.0.0.9:6443'])
    expect(replicaOrigins([slice(['127.0.0.1'], 6443)], 'https://127.0.0.1:7443')).toEqual(['https://127.0.0.1:6443'])
  })
})

describe('who a node is', () => {
  it('stands in the path and in the certificate', () => {
    expect(nodeOfPath(upgradePath('worker-1.example'))).toBe('worker-1.example')
    expect(nodeOfPath('/node-connection/%E0%A4%A')).toBeUndefined()
    expect(nodeOfPath('/node-connection/a/b')).toBeUndefined()
    expect(isNodeUser({ username: 'system:node:a', groups: ['system:nodes'] }, 'a')).toBe(true)
    expect(isNodeUser({ username: 'system:node:', groups: ['system:nodes'] }, '')).toBe(false)
  })
})
