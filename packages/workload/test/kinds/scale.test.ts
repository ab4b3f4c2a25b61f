import type { ObjectSubresource, UnstructuredObject } from '@continuo/core'
import { expect, test } from 'vitest'
import { deploymentResource } from '../../src/kinds/apps/deployment.ts'
import { endpointsResource } from '../../src/kinds/core/endpoints.ts'
import { nodeResource } from '../../src/kinds/core/node.ts'

test('a scale has columns of its own', () => {
  const scale = deploymentResource.versions[0]?.subresources?.find(({ name }) => name === 'scale') as ObjectSubresource
  const body = scale.read?.({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { replicas: 3 },
    status: { replicas: 2 },
  }) as UnstructuredObject
  expect(scale.table?.columns.map(({ name }) => name)).toEqual(['Name', 'Desired', 'Available', 'Age'])
  expect(scale.table?.row(body, Date.parse('2026-01-01T00:00:09Z'))).toEqual(['web', 3, 2, '9s'])
})

test('ports of endpoints may have every name that ports of services may have', () => {
  const endpoints = (name: string): UnstructuredObject => ({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'web', namespace: 'default' },
    subsets: [{ addresses: [{ ip: '127.75.0.1' }], ports: [{ name, port: 80, protocol: 'TCP' }] }],
  })
  expect(endpointsResource.strategy?.validate?.(endpoints('80-8080'))).toEqual([])
  expect(endpointsResource.strategy?.validate?.(endpoints('Web_1'))).toMatchObject([{ field: 'subsets[0].ports[0].name' }])
})

test('the older and the newer field of a node’s pod addresses say the same', () => {
  const defaulted = (spec: object): unknown => {
    const node: UnstructuredObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, spec }
    nodeResource.strategy?.default?.(node)
    return node.spec
  }
  const both = { podCIDR: '10.9.0.0/24', podCIDRs: ['10.9.0.0/24'] }
  expect(defaulted({ podCIDR: '10.9.0.0/24' })).toEqual(both)
  expect(defaulted({ podCIDRs: ['10.9.0.0/24'] })).toEqual(both)
})
