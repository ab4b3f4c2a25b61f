import { describe, expect, it } from 'vitest'
import { type AnswerShape, Negotiator, statusForm } from '../../src/request/negotiate.ts'

const kubectlTable = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'
const choose = (header: string | undefined, shape: AnswerShape = 'object', protobuf = false) =>
  new Negotiator().choose(header, shape, () => protobuf)

describe('Negotiator', () => {
  it.each([
    [undefined, { mediaType: 'application/json' }],
    ['*/*', { mediaType: 'application/json' }],
    ['application/json, */*;q=0.8', { mediaType: 'application/json' }],
    ['application/vnd.kubernetes.protobuf,application/json', { mediaType: 'application/json' }],
    ['application/yaml', { mediaType: 'application/yaml' }],
    ['application/json;q=0.1, application/yaml', { mediaType: 'application/yaml' }],
    [kubectlTable, { mediaType: 'application/json', as: 'Table', version: 'v1' }],
    [
      'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      { mediaType: 'application/json', as: 'PartialObjectMetadata', version: 'v1' },
    ],
  ])('answers %s', (header, wanted) => {
    expect(choose(header)).toEqual(wanted)
  })

  it('gives lists and watches their own metadata form', () => {
    const header =
      'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
    expect(choose(header, 'list').as).toBe('PartialObjectMetadataList')
    expect(choose(header, 'watch').as).toBe('PartialObjectMetadata')
  })

  it.each(['application/vnd.kubernetes.protobuf', 'text/html', 'application/json;as=Table;v=v9;g=meta.k8s.io', 'application/json;q=0'])(
    'refuses %s with 406',
    (header) => {
      expect(() => choose(header)).toThrow(expect.objectContaining({ reason: 'NotAcceptable', status: 406 }))
    },
  )

  it('refuses YAML for a watch', () => {
    expect(() => choose('application/yaml', 'watch')).toThrow(/media types/)
  })

  it('answers protobuf in its place among the alternatives, where the kind has it', () => {
    const protobuf = 'application/vnd.kubernetes.protobuf'
    expect(choose(`${protobuf},application/json`, 'object', true)).toEqual({ mediaType: protobuf })
    expect(choose(`${protobuf};stream=watch`, 'watch', true)).toEqual({ mediaType: protobuf })
    expect(choose(`application/json,${protobuf}`, 'list', true)).toEqual({ mediaType: 'application/json' })
    expect(choose(`${protobuf};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`)).toMatchObject({
      mediaType: protobuf,
      as: 'PartialObjectMetadata',
    })
    expect(() => choose(`${protobuf};as=Table;g=meta.k8s.io;v=v1`, 'object', true)).toThrow(/media types/)
  })

  it('gives a status in protobuf to those who prefer it', () => {
    expect(statusForm('application/vnd.kubernetes.protobuf')).toEqual({ mediaType: 'application/vnd.kubernetes.protobuf' })
    for (const header of [undefined, 'text/html', 'application/json,application/vnd.kubernetes.protobuf'])
      expect(statusForm(header)).toEqual({ mediaType: 'application/json' })
  })

  it('stays bounded when each request brings another header', () => {
    const negotiator = new Negotiator()
    for (let i = 0; i < 2_000; i++)
      expect(negotiator.choose(`application/json;x=${i}`, 'object', () => true).mediaType).toBe('application/json')
  })
})
