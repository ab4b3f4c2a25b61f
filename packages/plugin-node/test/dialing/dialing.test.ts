import type { EndpointSlice, Pod, Service } from '@continuo/workload'
import { parseProxiedName } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { podPortOf, portOf, readyEndpoints } from '../../src/dialing/choose-endpoint.ts'
import { isProxyable } from '../../src/dialing/proxyable-address.ts'

describe('addresses that may be proxied to', () => {
  it.each([
    '127.0.0.1',
    '127.96.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '169.254.169.254',
    '::ffff:169.254.169.254',
    'fe80::1',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    'ff02::1',
    '255.255.255.255',
    'localhost',
    'example.com',
    '',
    '127.1',
  ])('are not %s', (address) => expect(isProxyable(address)).toBe(false))
  it.each(['10.0.0.1', '192.168.1.1', 'fd00::1', '8.8.8.8'])('are %s', (address) => expect(isProxyable(address)).toBe(true))
})

describe('proxied names', () => {
  it.each([
    ['web', { scheme: 'http', name: 'web', port: '' }],
    ['web:80', { scheme: 'http', name: 'web', port: '80' }],
    ['web:', { scheme: 'http', name: 'web', port: '' }],
    ['https:web:', { scheme: 'https', name: 'web', port: '' }],
    [':web:http', { scheme: 'http', name: 'web', port: 'http' }],
  ])('%s', (text, parsed) => expect(parseProxiedName(text)).toEqual(parsed))
  it.each(['', ':', 'ftp:web:80', 'http::80', 'a:b:c:d'])('not %s', (text) =>
    expect(() => parseProxiedName(text)).toThrow(expect.objectContaining({ status: 400 })),
  )
})

describe('endpoints', () => {
  const service = {
    metadata: { name: 'web' },
    spec: {
      ports: [
        { name: 'http', port: 80 },
        { name: 'https', port: 443 },
      ],
    },
  } as unknown as Service

  it('are chosen by the name or number of a port, and without one only where there is one', () => {
    expect(portOf(service, 'https').port).toBe(443)
    expect(portOf(service, 80).name).toBe('http')
    expect(portOf({ ...service, spec: { ports: [{ port: 1 }] } } as unknown as Service, '').port).toBe(1)
    expect(() => portOf(service, '')).toThrow(/no service port "" found for service "web"/)
    expect(() => portOf(service, '81')).toThrow(/no service port "81"/)
  })

  it('are those that are ready and have the port', () => {
    const slices = [
      {
        metadata: { namespace: 'ns' },
        ports: [{ name: 'http', port: 8080 }],
        endpoints: [
          { addresses: ['10.0.0.1'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'a' } },
          { addresses: ['10.0.0.2'], conditions: { ready: false } },
          { addresses: ['10.0.0.3'] },
        ],
      },
      { metadata: {}, ports: [{ name: 'other', port: 1 }], endpoints: [{ addresses: ['10.0.0.4'] }] },
    ] as unknown as EndpointSlice[]
    expect(readyEndpoints(slices, { name: 'http', port: 80 })).toEqual([
      { address: '10.0.0.1', port: 8080, pod: { namespace: 'ns', name: 'a' } },
      { address: '10.0.0.3', port: 8080 },
    ])
  })

  it('of a pod are its ports by name or any number', () => {
    const pod = { metadata: { name: 'p' }, spec: { containers: [{}, { ports: [{ name: 'web', containerPort: 8080 }] }] } } as unknown as Pod
    expect([podPortOf(pod, ''), podPortOf(pod, 'web'), podPortOf(pod, '99')]).toEqual([8080, 8080, 99])
    expect(podPortOf({ metadata: {}, spec: { containers: [] } } as unknown as Pod, '')).toBe(80)
    for (const wrong of ['none', '0', '65536', '1e3', '-1'])
      expect(() => podPortOf(pod, wrong)).toThrow(expect.objectContaining({ status: 400 }))
  })
})
