import type { AdmissionRequest } from '@continuo/core'
import { expect, it } from 'vitest'
import { isExempt, passesFailures } from '../src/index.ts'

interface Asked {
  readonly group?: string
  readonly resource: string
  readonly namespace?: string
  readonly groups?: readonly string[]
  readonly trusted?: boolean
}

const request = ({ group = '', resource, namespace = '', groups = [], trusted = false }: Asked): AdmissionRequest =>
  ({
    operation: 'UPDATE',
    resource: { group, version: 'v1', resource },
    namespace,
    caller: { trusted, user: { username: 'somebody', groups } },
  }) as unknown as AdmissionRequest

const lease = { group: 'coordination.k8s.io', resource: 'leases' }
const node = { groups: ['system:nodes'] }

it.each<[string, Asked, boolean]>([
  ['configurations of webhooks', { group: 'admissionregistration.k8s.io', resource: 'mutatingwebhookconfigurations' }, true],
  ['bindings of policies', { group: 'admissionregistration.k8s.io', resource: 'validatingadmissionpolicybindings' }, true],
  ['reviews', { group: 'authentication.k8s.io', resource: 'tokenreviews' }, true],
  ['the lease of a leader, by itself', { ...lease, namespace: 'kube-system', trusted: true }, true],
  ['the lease of a node, by a node', { ...lease, ...node, namespace: 'kube-node-lease' }, true],
  ['a lease of the system, by somebody else', { ...lease, namespace: 'kube-system' }, false],
  ['the lease of an application, by the system', { ...lease, namespace: 'default', trusted: true }, false],
  ['pods', { resource: 'pods', namespace: 'kube-system', trusted: true }, false],
])('nobody sees %s: %s', (_what, asked, expected) => {
  expect(isExempt(request(asked))).toBe(expected)
})

it('no failure keeps nodes away, unless somebody else writes them', () => {
  expect(passesFailures(request({ resource: 'nodes', ...node }))).toBe(true)
  expect(passesFailures(request({ resource: 'nodes', trusted: true }))).toBe(true)
  expect(passesFailures(request({ resource: 'nodes' }))).toBe(false)
  expect(passesFailures(request({ resource: 'pods', ...node }))).toBe(false)
})
