import type { EndpointSlice, Service } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { proxyPorts } from '../../src/routing/proxy-ports.ts'

const service = (spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec,
})
const slice = (endpoints: EndpointSlice['endpoints'], ports: EndpointSlice['ports']): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'shop' },
  addressType: 'IPv4',
  endpoints,
  ports,
})

describe('proxyPorts', () => {
  it('joins each port with the endpoints that serve it, in a stable order', () => {
    const spec = {
      clusterIP: '10.96.0.1',
      ports: [
        { name: 'http', port: 80 },
        { name: 'admin', port: 81 },
      ],
    }
    const slices = [
      slice(
        [{ addresses: ['10.0.0.3'] }, { addresses: ['10.0.0.2'], conditions: { ready: false, serving: true, terminating: true } }],
        [{ name: 'http', port: 8080, protocol: 'TCP' }],
      ),
    ]
    const [http, admin] = proxyPorts(service(spec), slices)
    expect(http).toMatchObject({ id: 'shop/web:http', clusterIPs: ['10.96.0.1'], port: 80 })
    expect(http?.endpoints).toMatchObject([
      { ip: '10.0.0.2', port: 8080, ready: false, serving: true, terminating: true },
      { ip: '10.0.0.3', port: 8080, ready: true },
    ])
    expect(admin?.endpoints).toEqual([])
  })

  it('passes hints of topology on', () => {
    const hints = { forZones: [{ name: 'east' }], forNodes: [{ name: 'n1' }] }
    const [port] = proxyPorts(service({ clusterIP: '10.96.0.1', ports: [{ port: 80 }] }), [
      slice([{ addresses: ['10.0.0.3'], hints }], [{ port: 8080, protocol: 'TCP' }]),
    ])
    expect(port?.endpoints).toMatchObject([{ forZones: ['east'], forNodes: ['n1'] }])
  })

  it('has nothing to do for headless and external services', () => {
    expect(proxyPorts(service({ clusterIP: 'None', ports: [{ port: 80 }] }), [])).toEqual([])
    expect(proxyPorts(service({ type: 'ExternalName', externalName: 'a.b' }), [])).toEqual([])
  })
})
