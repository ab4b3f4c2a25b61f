import { describe, expect, it } from 'vitest'
import { Negotiator } from '../../src/request/negotiate.ts'

const kubectlTable = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'
const choose = (header: string | undefined, kind: 'object' | 'list' | 'watch' = 'object') => new Negotiator().choose(header, kind)

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

  it('stays bounded when each request brings another header', () => {
    const negotiator = new Negotiator()
    for (let i = 0; i < 2_000; i++) expect(negotiator.choose(`application/json;x=${i}`, 'object').mediaType).toBe('application/json')
  })
})
