import { describe, expect, it } from 'vitest'
import { type CustomResourceDefinition, checkStructural, type Schema, validate } from '../../src/index.ts'
import { validateDefinition } from '../../src/kinds/custom/validate-definition.ts'

const faults = (schema: object): string[] => checkStructural(schema as Schema, 'S').map(({ field, message }) => `${field}: ${message}`)
const of = (a: object): object => ({ type: 'object', properties: { a } })

describe('a structural schema', () => {
  it.each<[string, object, string]>([
    ['$ref', of({ $ref: '#/x' }), 'S.properties[a].$ref: Forbidden: $ref is not supported'],
    ['definitions', { type: 'object', definitions: { a: { type: 'string' } } }, 'S.definitions: Forbidden: definitions is not supported'],
    ['the type null', of({ type: 'null' }), 'S.properties[a].type: Forbidden: type cannot be set to null, use nullable as an alternative'],
    [
      'tuples',
      of({ type: 'array', items: [{ type: 'string' }] }),
      'S.properties[a].items: Forbidden: items must be a schema object and not an array',
    ],
    [
      'closed objects',
      of({ type: 'object', additionalProperties: false }),
      'S.properties[a].additionalProperties: Forbidden: additionalProperties cannot be set to false',
    ],
    ['a nullable root', { type: 'object', nullable: true }, 'S.nullable: Forbidden: nullable cannot be true at the root'],
    [
      'a map as root',
      { type: 'object', additionalProperties: { type: 'string' } },
      'S.additionalProperties: Forbidden: must not be used at the root',
    ],
    [
      'an apiVersion that is no string',
      { type: 'object', properties: { apiVersion: { type: 'integer' } } },
      'S.properties[apiVersion].type: Invalid value: "integer": must be string',
    ],
    [
      'metadata of an embedded resource',
      of({
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
      }),
      'S.properties[a].properties[metadata].properties[labels]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
    ],
    [
      'rules inside of junctors',
      { ...of({ type: 'string' }), allOf: [{ properties: { a: { 'x-kubernetes-validations': [{ rule: 'true' }] } } }] },
      'S.allOf[0].properties[a].x-kubernetes-validations: Forbidden: must be undefined to be structural',
    ],
  ])('does not have %s', (_name, schema, fault) => expect(faults(schema)).toContain(fault))
})

describe('a version of a definition', () => {
  const definition = (version: object, status?: object): CustomResourceDefinition =>
    ({
      metadata: { name: 'ws.demo.io' },
      spec: {
        group: 'demo.io',
        names: { plural: 'ws', kind: 'W' },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: of({
                type: 'object',
                properties: { s: { type: 'string' }, l: { type: 'array', items: { type: 'string' } } },
              }),
            },
            ...version,
          },
        ],
      },
      ...(status === undefined ? {} : { status }),
    }) as CustomResourceDefinition
  const at = 'spec.versions[0]'
  const select = (...paths: string[]): object => ({ selectableFields: paths.map((jsonPath) => ({ jsonPath })) })
  const all = (version: object, status?: object): string[] =>
    validateDefinition(definition(version, status)).map(({ field, message }) => `${field}: ${message}`)

  it('selects by single values that the schema has', () => {
    expect(all(select('.a.s'))).toEqual([])
    expect(all(select('.a.nope'))).toEqual([
      `${at}.selectableFields[0].jsonPath: Invalid value: ".a.nope": is an invalid path: does not refer to a valid field`,
    ])
    expect(all(select('.a.l'))[0]).toContain('must point to a field of type string, boolean or integer')
    expect(all(select('.metadata.name'))[0]).toContain('must not point to fields in metadata')
    expect(all(select('.a.s', '.a.s'))).toEqual([`${at}.selectableFields[1].jsonPath: Duplicate value: ".a.s"`])
    expect(all(select(...Array.from({ length: 9 }, () => '.a.s')))[0]).toBe(
      `${at}.selectableFields: Too many: 9: must have at most 8 items`,
    )
  })

  it('with a status subresource does not bind spec and status at the root', () => {
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } }, anyOf: [{ required: ['spec'] }] } }
    expect(all({ schema })).toEqual([])
    expect(all({ schema, subresources: { status: {} } })[0]).toContain(
      'fields are allowed at the root of the schema if the status subresource is enabled',
    )
  })

  it('is among those that are stored', () => {
    expect(all({}, { storedVersions: [] })).toEqual(['status.storedVersions: Invalid value: []: must have at least one stored version'])
    expect(all({}, { storedVersions: ['v0'] })[0]).toBe('status.storedVersions: Invalid value: ["v0"]: must have the storage version v1')
  })

  it('of a protected group is approved by a URL, or says that it is not', () => {
    const approved = (approval?: string): string[] => {
      const one = definition({})
      const guarded = {
        ...one,
        metadata: { name: 'ws.x.k8s.io', ...(approval === undefined ? {} : { annotations: { 'api-approved.kubernetes.io': approval } }) },
        spec: { ...one.spec, group: 'x.k8s.io' },
      }
      return validateDefinition(guarded as CustomResourceDefinition).map(({ message }) => message)
    }
    expect(approved()[0]).toContain('Required value: protected groups must have approval annotation')
    expect(approved('yes')[0]).toContain('with either a URL or a reason starting with "unapproved"')
    expect(approved('https://github.com/kubernetes/enhancements/pull/1')).toEqual([])
    expect(approved('unapproved, experimental-only')).toEqual([])
  })

  it('is not judged again while the spec stays as it is', () => {
    const odd = definition(select('.a.nope'))
    expect(validateDefinition(odd, odd)).toEqual([])
  })
})

describe('an embedded resource', () => {
  const schema = of({ type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }) as Schema
  const all = (a: unknown): string[] => validate(schema, { a }).map(({ field, message }) => `${field}: ${message}`)

  it('says what it is and is named as objects are', () => {
    expect(all({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels: { a: 'b' } }, spec: 1 })).toEqual([])
    expect(all({ spec: 1 })).toEqual(['a.apiVersion: Required value: must not be empty', 'a.kind: Required value: must not be empty'])
    expect(all({ apiVersion: 'a/b/c', kind: 'P_', metadata: { name: 'x/y', labels: { a: 1 } } })).toEqual([
      'a.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      expect.stringContaining('a.kind: Invalid value: "P_": '),
      `a.metadata.name: Invalid value: "x/y": may not contain '/'`,
      expect.stringContaining('a.metadata.labels.a: Invalid value'),
    ])
  })
})
