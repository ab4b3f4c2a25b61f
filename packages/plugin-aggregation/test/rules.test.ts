import type { ServedResource } from '@continuo/core'
import type { APIService, EndpointSlice, Service } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { availableCondition, objectionTo, passed } from '../src/check-service.ts'
import { authenticationData, identityHeaders } from '../src/front-proxy.ts'
import { localServices, missingAndStray } from '../src/local-services.ts'

describe('identity in headers', () => {
  it('holds user, groups, uid and extras; keys that no header can hold are encoded', () => {
    expect(
      identityHeaders({
        username: 'ann',
        uid: '7',
        groups: ['a', 'b'],
        extra: { 'Example.com/Scope': ['x', 'y'], empty: [], "o'k": ['z'] },
      }),
    ).toEqual({
      'x-remote-user': 'ann',
      'x-remote-uid': '7',
      'x-remote-group': ['a', 'b'],
      'x-remote-extra-example.com%2Fscope': ['x', 'y'],
      'x-remote-extra-o%27k': ['z'],
    })
    expect(identityHeaders({ username: 'ann' })).toEqual({ 'x-remote-user': 'ann' })
  })

  it('is believed by servers that read where to find it', () => {
    const data = authenticationData('front', 'clients')
    expect(data['requestheader-client-ca-file']).toBe('front')
    expect(data['client-ca-file']).toBe('clients')
    expect(JSON.parse(data['requestheader-allowed-names'] as string)).toEqual(['front-proxy-client'])
    expect(authenticationData('front', undefined)).not.toHaveProperty('client-ca-file')
  })
})

describe('local API services', () => {
  const served = (group: string, version: string, custom = false) =>
    ({ gvr: { group, version, resource: 'x' }, definition: { custom } }) as unknown as ServedResource

  it('are one for each group version but their own, with the priorities of Kubernetes', () => {
    const wanted = localServices([
      served('', 'v1'),
      served('', 'v1'),
      served('autoscaling', 'v2'),
      served('apiregistration.k8s.io', 'v1'),
      served('example.com', 'v1', true),
    ])
    expect([...wanted.values()].map(({ metadata, spec }) => [metadata.name, spec?.groupPriorityMinimum, spec?.versionPriority])).toEqual([
      ['v1.', 18_000, 1],
      ['v2.autoscaling', 17_500, 30],
      ['v1.example.com', 1_000, 100],
    ])
  })

  it('are made where they are missing and removed where they are stray, but those of somebody else are left alone', () => {
    const wanted = localServices([served('apps', 'v1'), served('batch', 'v1')])
    const found = [
      wanted.get('v1.apps'),
      { metadata: { name: 'v1.gone.example.com', labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } } },
      { metadata: { name: 'v1.remote.example.com' }, spec: { service: { namespace: 'a', name: 'b' } } },
    ] as unknown as APIService[]
    const { create, remove } = missingAndStray(wanted, found)
    expect(create.map(({ metadata }) => metadata.name)).toEqual(['v1.batch'])
    expect(remove).toEqual(['v1.gone.example.com'])
  })
})

describe('availability', () => {
  const service = (spec: object) => ({ spec }) as unknown as Service
  const slice = (ready: boolean, name = 'https') =>
    ({ ports: [{ name, port: 8443 }], endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready } }] }) as unknown as EndpointSlice
  const reference = { namespace: 'ns', name: 'web' }
  const https = service({ ports: [{ name: 'https', port: 443 }] })

  it.each([
    ['ServiceNotFound', undefined, []],
    ['ServicePortError', service({ ports: [{ port: 80 }] }), []],
    ['EndpointsNotFound', https, []],
    ['MissingEndpoints', https, [slice(false)]],
    ['MissingEndpoints', https, [slice(true, 'other')]],
    [undefined, https, [slice(false), slice(true)]],
    [undefined, service({ type: 'ExternalName' }), []],
  ] as const)('is %s', (reason, found, slices) => {
    expect(objectionTo(reference, found, [...slices])?.reason).toBe(reason)
  })

  it('keeps the time of the last change while only its reason changes', () => {
    const at = (conditions: object[]) => ({ status: { conditions } }) as unknown as APIService
    const condition = availableCondition(at([]), passed, 0)
    expect(condition).toMatchObject({ status: 'True', reason: 'Passed', lastTransitionTime: '1970-01-01T00:00:00Z' })
    expect(availableCondition(at([condition as object]), passed, 9_000)).toBeUndefined()
    const down = { available: false, reason: 'A', message: 'a' }
    const first = availableCondition(at([condition as object]), down, 9_000)
    expect(first?.lastTransitionTime).toBe('1970-01-01T00:00:09Z')
    expect(availableCondition(at([first as object]), { ...down, reason: 'B' }, 20_000)?.lastTransitionTime).toBe('1970-01-01T00:00:09Z')
  })
})
