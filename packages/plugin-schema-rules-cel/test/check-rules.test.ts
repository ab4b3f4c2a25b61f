import type { Schema, ValidationRule } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { checkRules } from '../src/check-rules.ts'

const at = 'spec.versions[0].schema.openAPIV3Schema'
const rules = (...list: (string | ValidationRule)[]): ValidationRule[] => list.map((rule) => (typeof rule === 'string' ? { rule } : rule))
const object = (properties: Record<string, Schema>, ...list: (string | ValidationRule)[]): Schema => ({
  type: 'object',
  properties,
  'x-kubernetes-validations': rules(...list),
})
const faults = (schema: Schema): string[] => checkRules(schema, at).map(({ field, message }) => `${field.replace(at, '')}: ${message}`)

describe('the rules of a definition', () => {
  it('are fine where Kubernetes says so', () => {
    expect(
      faults(
        object(
          {
            spec: object(
              { min: { type: 'integer' }, list: { type: 'array', maxItems: 10, items: { type: 'string', maxLength: 10 } } },
              'self.min > 0',
              {
                rule: 'self == oldSelf',
                message: 'immutable',
                reason: 'FieldValueForbidden',
                fieldPath: '.min',
              },
            ),
          },
          'self.metadata.name.startsWith("a")',
          { rule: '!oldSelf.hasValue() || oldSelf.value().spec.min <= self.spec.min', optionalOldSelf: true },
          { rule: 'self.spec.list.all(x, x != "")', messageExpression: '"bad: " + self.spec.list.join(",")' },
        ),
      ),
    ).toEqual([])
  })

  it('that do not compile name the place', () => {
    expect(faults(object({ a: { type: 'integer' } }, 'self.a > "1"', 'self.b', 'self.a', 'self.a >'))).toEqual([
      '.x-kubernetes-validations[0].rule: Invalid value: "self.a > \\"1\\"": compilation failed: ERROR: <input>:1:8: found no matching overload for \'_>_\' applied to \'(int, string)\'\n | self.a > "1"\n | .......^',
      '.x-kubernetes-validations[1].rule: Invalid value: "self.b": compilation failed: ERROR: <input>:1:5: undefined field \'b\'\n | self.b\n | ....^',
      '.x-kubernetes-validations[2].rule: Invalid value: "self.a": compilation failed: ERROR: <input>:1:1: must evaluate to bool, but is int\n | self.a\n | ^',
      expect.stringContaining("mismatched input '<EOF>'"),
    ])
  })

  it('see no more of metadata than the name', () => {
    expect(faults(object({}, 'self.metadata.labels.size() > 0'))).toEqual([expect.stringContaining("undefined field 'labels'")])
  })

  it('name their options rightly', () => {
    expect(
      faults(
        object(
          { a: { type: 'integer' } },
          { rule: ' ' },
          { rule: 'true', message: ' ' },
          { rule: 'true', message: 'a\nb' },
          { rule: 'true &&\ntrue' },
          { rule: 'true', reason: 'Nope' },
          { rule: 'true', fieldPath: '.nope' },
          { rule: 'true', fieldPath: 'a' },
          { rule: 'true', optionalOldSelf: true },
          { rule: 'true', messageExpression: '1' },
        ),
      ),
    ).toEqual([
      '.x-kubernetes-validations[0].rule: Required value: rule is not specified',
      '.x-kubernetes-validations[1].message: Invalid value: " ": message must be non-empty if specified',
      '.x-kubernetes-validations[2].message: Invalid value: "a\\nb": message must not contain line breaks',
      '.x-kubernetes-validations[3].message: Required value: message must be specified if rule contains line breaks',
      '.x-kubernetes-validations[4].reason: Unsupported value: "Nope": supported values: "FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate"',
      '.x-kubernetes-validations[5].fieldPath: Invalid value: ".nope": fieldPath must be a valid path: does not refer to a valid field',
      '.x-kubernetes-validations[6].fieldPath: Invalid value: "a": fieldPath must be a valid path: expected [ or . but got: a',
      '.x-kubernetes-validations[7].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule',
      expect.stringContaining('messageExpression compilation failed: ERROR: <input>:1:1: must evaluate to string, but is int'),
    ])
  })

  it('compare with old values only where there is one', () => {
    const items = object({ name: { type: 'string' } }, 'self == oldSelf')
    const list = (listType: 'map' | undefined): Schema =>
      object({
        list: {
          type: 'array',
          maxItems: 5,
          items,
          ...(listType === undefined ? {} : { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': ['name'] }),
        },
      })
    expect(faults(list('map'))).toEqual([])
    expect(faults(list(undefined))).toEqual([
      expect.stringContaining(
        'oldSelf cannot be used on the uncorrelatable portion of the schema within spec.versions[0].schema.openAPIV3Schema.properties[list]',
      ),
    ])
  })

  it('that are too dear are refused by how much', () => {
    const text: Schema = { type: 'string' }
    const list: Schema = { type: 'array', items: text }
    expect(faults(object({ a: list, b: list }, 'self.a.all(x, self.b.exists(y, x == y))'))).toEqual([
      expect.stringMatching(
        /^\.x-kubernetes-validations\[0\]\.rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x \(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared\)$/,
      ),
      expect.stringContaining(
        'contributed to estimated rule & messageExpression cost total exceeding cost limit for entire OpenAPIv3 schema',
      ),
      expect.stringContaining('cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x'),
    ])
    const bounded: Schema = { type: 'array', maxItems: 20, items: { type: 'string', maxLength: 30 } }
    expect(faults(object({ a: bounded, b: bounded }, 'self.a.all(x, self.b.exists(y, x == y))'))).toEqual([])
  })

  it('count once for each value that an object can hold', () => {
    const item = object({ name: { type: 'string', maxLength: 1000 } }, 'self.name.matches("^[a-z]+$") && self.name.contains("abc")')
    expect(faults(object({ list: { type: 'array', items: item } }))[0]).toContain(
      '.properties[list].items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of',
    )
    expect(faults(object({ list: { type: 'array', maxItems: 10, items: item } }))).toEqual([])
  })
})
