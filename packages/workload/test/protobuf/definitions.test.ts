import { describe, expect, it } from 'vitest'
import { decodeProtobuf, encodeProtobuf } from '../../src/protobuf/codec.ts'

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.demo.io' },
  spec: {
    group: 'demo.io',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['wd'], categories: ['all'] },
    scope: 'Namespaced',
    conversion: {
      strategy: 'Webhook',
      webhook: {
        clientConfig: { service: { namespace: 'demo', name: 'convert', path: '/v1', port: 443 }, caBundle: 'Q0E=' },
        conversionReviewVersions: ['v1'],
      },
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                'x-kubernetes-validations': [
                  { rule: 'self.size >= 0', message: 'no', reason: 'FieldValueInvalid', optionalOldSelf: false },
                ],
                properties: {
                  size: { type: 'integer', minimum: 0, maximum: 10, default: 0 },
                  port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
                  mode: { type: 'string', enum: ['a', 'b', null], nullable: true },
                  list: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', minItems: 0 },
                  free: { type: 'object', additionalProperties: true },
                  closed: { type: 'object', additionalProperties: false },
                  typed: { type: 'object', additionalProperties: { type: 'string', example: { a: [1] } } },
                  any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
            },
          },
        },
        subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
        selectableFields: [{ jsonPath: '.spec.mode' }],
      },
      { name: 'v1beta1', served: false, storage: false },
    ],
  },
}

describe('definitions of custom resources in protobuf', () => {
  it('come back as they went', () => {
    expect(decodeProtobuf(encodeProtobuf(definition)).value).toEqual(definition)
  })

  it('have a schema, several, or a boolean where JSON Schema has one or the other', () => {
    // group 1, versions 7 { schema 4 { openAPIV3Schema 1 { items 24 { jSONSchemas 2 {type 5}, … }, additionalProperties 30 { allows 1 } } } }
    const message = (number: number, ...bytes: number[]): number[] => {
      const tag = (number << 3) | 2
      return [...(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]), bytes.length, ...bytes]
    }
    const word = (number: number, text: string): number[] => message(number, ...Buffer.from(text))
    const schema = message(1, ...message(24, ...message(2, ...word(5, 'a')), ...message(2, ...word(5, 'b'))), ...message(30, 8, 0))
    const spec = message(2, ...word(1, 'g'), ...message(7, ...word(1, 'v1'), 16, 1, 24, 0, ...message(4, ...schema)))
    const envelope = [...message(1, ...word(1, 'apiextensions.k8s.io/v1'), ...word(2, 'CustomResourceDefinition')), ...message(2, ...spec)]
    expect(decodeProtobuf(Uint8Array.from([...Buffer.from('k8s\0'), ...envelope])).value.spec).toEqual({
      group: 'g',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: false,
          schema: { openAPIV3Schema: { items: [{ type: 'a' }, { type: 'b' }], additionalProperties: false } },
        },
      ],
    })
  })

  it('nested beyond all measure are refused', () => {
    let schema: Record<string, unknown> = { type: 'object' }
    for (let depth = 0; depth < 600; depth++) schema = { not: schema }
    const nested = { ...definition, spec: { ...definition.spec, versions: [{ name: 'v1', schema: { openAPIV3Schema: schema } }] } }
    expect(() => decodeProtobuf(encodeProtobuf(nested))).toThrowError(
      expect.objectContaining({ code: 'PROTOBUF_INVALID', message: expect.stringContaining('nested more than 512') }),
    )
  })
})
