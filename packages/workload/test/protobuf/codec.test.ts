import { describe, expect, it } from 'vitest'
import { decodeProtobuf, encodeProtobuf } from '../../src/protobuf/codec.ts'

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)])
const field = (number: number, bytes: readonly number[]): number[] => [(number << 3) | 2, ...varint(bytes.length), ...bytes]
const text = (number: number, value: string): number[] => field(number, [...Buffer.from(value)])
const envelope = (apiVersion: string, kind: string, raw: readonly number[], contentType = ''): Uint8Array =>
  Uint8Array.from([
    ...Buffer.from('k8s\0'),
    ...field(1, [...text(1, apiVersion), ...text(2, kind)]),
    ...field(2, raw),
    ...text(4, contentType),
  ])

describe('decodeProtobuf', () => {
  it('leaves out zeros that JSON leaves out, and keeps those that are values', () => {
    const spec = [(1 << 3) | 0, 0, ...field(3, []), (7 << 3) | 0, 0]
    const raw = [...field(1, [...text(1, 'web'), ...text(3, ''), ...field(8, [])]), ...field(2, spec)]
    expect(decodeProtobuf(envelope('apps/v1', 'Deployment', raw)).value).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 0, template: {} },
    })
  })

  it('reads delete options under the version of any group', () => {
    expect(decodeProtobuf(envelope('apps/v1', 'DeleteOptions', [(1 << 3) | 0, 0])).value).toEqual({
      apiVersion: 'apps/v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
    })
  })

  it('reads JSON inside the envelope', () => {
    const raw = [...Buffer.from('{"apiVersion":"demo.io/v1","kind":"Widget","metadata":{"name":"a"}}')]
    expect(decodeProtobuf(envelope('demo.io/v1', 'Widget', raw, 'application/json')).value.metadata.name).toBe('a')
  })

  it('skips fields that it does not know', () => {
    expect(
      decodeProtobuf(envelope('v1', 'ConfigMap', [...text(15, 'later'), ...field(2, [...text(1, 'key'), ...text(2, 'value')])])).value,
    ).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: { key: 'value' },
    })
  })

  it('does not let a key become a prototype', () => {
    const { value } = decodeProtobuf(envelope('v1', 'ConfigMap', field(2, [...text(1, '__proto__'), ...text(2, 'x')])))
    expect(Object.keys(value.data as object)).toEqual(['__proto__'])
  })

  it.each([
    ['no magic bytes', Uint8Array.from([1, 2, 3, 4, 5])],
    ['a truncated message', envelope('v1', 'ConfigMap', [(1 << 3) | 2, 50, 1, 2])],
    ['a truncated envelope', Uint8Array.from([...Buffer.from('k8s\0'), 0x0a, 0x7f, 0x01])],
    ['text that is no UTF-8', envelope('v1', 'Widget', [0xff, 0xfe], 'application/json')],
  ])('refuses %s with a code', (_, bytes) => {
    expect(() => decodeProtobuf(bytes)).toThrow(expect.objectContaining({ code: 'PROTOBUF_INVALID' }))
  })

  it('refuses a kind without a protobuf form', () => {
    expect(() => decodeProtobuf(envelope('demo.io/v1', 'Widget', []))).toThrow(expect.objectContaining({ code: 'PROTOBUF_UNKNOWN_KIND' }))
    expect(() => encodeProtobuf({ apiVersion: 'demo.io/v1', kind: 'Widget' })).toThrow(
      expect.objectContaining({ code: 'PROTOBUF_UNKNOWN_KIND' }),
    )
  })
})

describe('encodeProtobuf', () => {
  it('carries quantities, ports, raw objects, bytes and times', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', creationTimestamp: '2026-01-02T03:04:05Z' },
      spec: {
        containers: [{ name: 'c', resources: { limits: { cpu: '250m' } }, livenessProbe: { httpGet: { port: 'web', path: '/' } } }],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    }
    expect(decodeProtobuf(encodeProtobuf(pod)).value).toEqual(pod)
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { key: 'AAEC', empty: '' } }
    expect(decodeProtobuf(encodeProtobuf(secret)).value).toEqual(secret)
    const revision = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: 'r' },
      data: { spec: { any: ['thing'] } },
      revision: 3,
    }
    expect(decodeProtobuf(encodeProtobuf(revision)).value).toEqual(revision)
  })

  it('carries the kinds of the aggregator and of metrics', () => {
    const service = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.demo.io' },
      spec: {
        group: 'demo.io',
        version: 'v1',
        groupPriorityMinimum: 10,
        versionPriority: 20,
        service: { namespace: 'a', name: 'b', port: 443 },
        caBundle: 'AAEC',
      },
      status: { conditions: [{ type: 'Available', status: 'True', lastTransitionTime: '2026-01-02T03:04:05Z' }] },
    }
    expect(decodeProtobuf(encodeProtobuf(service)).value).toEqual(service)
    const usage = {
      apiVersion: 'metrics.k8s.io/v1beta1',
      kind: 'PodMetrics',
      metadata: { name: 'p' },
      timestamp: '2026-01-02T03:04:05Z',
      window: '30s',
      containers: [{ name: 'c', usage: { cpu: '5m' } }],
    }
    expect(decodeProtobuf(encodeProtobuf(usage)).value).toEqual(usage)
  })

  it('takes no custom group for one of Kubernetes that begins like it', () => {
    expect(() => encodeProtobuf({ apiVersion: 'apps.example.com/v1', kind: 'Deployment' })).toThrow(
      expect.objectContaining({ code: 'PROTOBUF_UNKNOWN_KIND' }),
    )
  })
})
