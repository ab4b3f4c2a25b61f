import type { EndpointSlice, Service } from '@continuo/workload'
import { expect, it } from 'vitest'
import { chooseEndpoint } from '../../src/service-resolver/choose-endpoint.ts'

const service = (spec: object): Service =>
  ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'hook', namespace: 'default' }, spec }) as Service
const web = service({ selector: { app: 'hook' }, clusterIP: '10.0.0.1', ports: [{ name: 'https', port: 443, targetPort: 8443 }] })
const slice = (addresses: string[], ready = true, name = 'https'): EndpointSlice =>
  ({
    addressType: 'IPv4',
    metadata: {},
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready } })),
    ports: [{ name, port: 8443, protocol: 'TCP' }],
  }) as unknown as EndpointSlice
const last = (count: number): number => count - 1

it('chooses among the ready endpoints of the port', () => {
  expect(chooseEndpoint(web, [slice(['10.1.0.1']), slice(['10.1.0.2'])], 443, last)).toEqual({ host: '10.1.0.2', port: 8443 })
})

it('says why nobody answers', () => {
  expect(() => chooseEndpoint(web, [slice(['10.1.0.1'], false)], 443, last)).toThrow('no endpoints available for service "hook"')
  expect(() => chooseEndpoint(web, [], 443, last)).toThrow('no endpoints available for service "hook"')
  expect(() => chooseEndpoint(web, [slice(['10.1.0.1'])], 80, last)).toThrow('no service port 80 found for service "hook"')
})

it('takes the address of a service without a selector, and the name of an external one', () => {
  expect(chooseEndpoint(service({ clusterIP: '10.0.0.1', ports: [{ port: 443 }] }), [], 443, last)).toEqual({ host: '10.0.0.1', port: 443 })
  expect(chooseEndpoint(service({ type: 'ExternalName', externalName: 'hook.example.com' }), [], 443, last)).toEqual({
    host: 'hook.example.com',
    port: 443,
  })
})
