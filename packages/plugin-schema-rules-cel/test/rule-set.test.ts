import type { Schema, UnstructuredObject, ValidationRule } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { compileRules } from '../src/rule-set.ts'

const of = (spec: Schema): Schema => ({ type: 'object', properties: { spec } })
const widget = (spec: unknown): UnstructuredObject =>
  ({ apiVersion: 'demo.io/v1', kind: 'Widget', metadata: { name: 'w' }, spec }) as UnstructuredObject
const faults = (schema: Schema, spec: unknown, old?: unknown): string[] =>
  (compileRules(of(schema))?.validate(widget(spec), old === undefined ? undefined : widget(old)) ?? []).map(
    ({ field, message }) => `${field}: ${message}`,
  )
const rule = (...rules: ValidationRule[]): Pick<Schema, 'x-kubernetes-validations'> => ({ 'x-kubernetes-validations': rules })

describe('the rules of an object', () => {
  it('cost nothing where a schema has none', () => {
    expect(compileRules(of({ type: 'object' }))).toBeUndefined()
  })

  it('say what failed where, with which reason', () => {
    const schema: Schema = {
      type: 'object',
      properties: { min: { type: 'integer' }, max: { type: 'integer' } },
      ...rule(
        { rule: 'self.min <= self.max' },
        { rule: 'self.min > 0', message: 'min must be positive', fieldPath: '.min', reason: 'FieldValueForbidden' },
        { rule: 'self.max < 10', messageExpression: '"max is " + string(self.max)', reason: 'FieldValueRequired' },
        { rule: 'self.max < 11', messageExpression: 'self.nope', message: 'plain' },
      ),
    }
    expect(faults(schema, { min: 1, max: 2 })).toEqual([])
    expect(faults(schema, { min: 0, max: -1 })).toEqual([
      'spec: Invalid value: "object": failed rule: self.min <= self.max',
      'spec.min: Forbidden: min must be positive',
    ])
    expect(faults(schema, { min: 1, max: 12 })).toEqual(['spec: Required value: max is 12', 'spec: Invalid value: "object": plain'])
  })

  it('run on list items and map values', () => {
    const positive: Schema = { type: 'integer', ...rule({ rule: 'self > 0' }) }
    const schema: Schema = {
      type: 'object',
      properties: { list: { type: 'array', items: positive }, map: { type: 'object', additionalProperties: positive } },
    }
    expect(faults(schema, { list: [1, 0], map: { a: -1, b: 2 } })).toEqual([
      'spec.list[1]: Invalid value: "integer": failed rule: self > 0',
      'spec.map[a]: Invalid value: "integer": failed rule: self > 0',
    ])
  })

  it('that come to no value are refused with the reason', () => {
    const schema: Schema = { type: 'object', properties: { a: { type: 'integer' } }, ...rule({ rule: 'self.a > 0' }) }
    expect(faults(schema, {})).toEqual(['spec: Invalid value: "object": no such key: a evaluating rule: self.a > 0'])
  })

  it('of transitions run on updates, also where entries of an associative list moved', () => {
    const schema: Schema = {
      type: 'object',
      properties: {
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            properties: {
              name: { type: 'string' },
              port: { type: 'integer', ...rule({ rule: 'self == oldSelf', message: 'port is immutable' }) },
            },
          },
        },
      },
    }
    const before = {
      ports: [
        { name: 'a', port: 1 },
        { name: 'b', port: 2 },
      ],
    }
    expect(faults(schema, before)).toEqual([])
    expect(faults(schema, { ports: [...before.ports].reverse() }, before)).toEqual([])
    expect(
      faults(
        schema,
        {
          ports: [
            { name: 'c', port: 9 },
            { name: 'b', port: 3 },
          ],
        },
        before,
      ),
    ).toEqual(['spec.ports[1].port: Invalid value: "integer": port is immutable'])
  })

  it('with an optional old value run on creation too', () => {
    const schema: Schema = {
      type: 'integer',
      ...rule({ rule: 'oldSelf.hasValue() ? self >= oldSelf.value() : self == 0', optionalOldSelf: true }),
    }
    expect(faults(schema, 0)).toEqual([])
    expect(faults(schema, 1)).toHaveLength(1)
    expect(faults(schema, 3, 2)).toEqual([])
    expect(faults(schema, 1, 2)).toHaveLength(1)
  })

  it('leave alone what an update leaves alone, but not transitions', () => {
    const schema: Schema = {
      type: 'object',
      properties: { a: { type: 'integer', ...rule({ rule: 'self > 5' }) }, b: { type: 'integer', ...rule({ rule: 'self > oldSelf' }) } },
    }
    expect(faults(schema, { a: 1, b: 2 }, { a: 1, b: 1 })).toEqual([])
    expect(faults(schema, { a: 2, b: 2 }, { a: 1, b: 1 })).toEqual(['spec.a: Invalid value: "integer": failed rule: self > 5'])
    expect(faults(schema, { a: 1, b: 1 }, { a: 1, b: 1 })).toEqual(['spec.b: Invalid value: "integer": failed rule: self > oldSelf'])
  })

  it('stop when they become too dear, in bounded time', () => {
    const schema: Schema = {
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'integer' } } },
      ...rule({ rule: 'self.list.all(a, self.list.all(b, self.list.all(c, a + b + c >= 0)))' }, { rule: 'false' }),
    }
    const started = performance.now()
    expect(faults(schema, { list: Array.from({ length: 2_000 }, (_, i) => i) })).toEqual([
      expect.stringContaining('no further validation rules will be run due to call cost exceeds limit for rule'),
    ])
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  it('of one object share a budget', () => {
    const schema: Schema = {
      type: 'array',
      items: { type: 'array', items: { type: 'integer' }, ...rule({ rule: 'self.all(a, self.exists(b, b == a))' }) },
    }
    const many = Array.from({ length: 100 }, () => Array.from({ length: 400 }, (_, i) => i))
    expect(faults(schema, many)).toEqual([expect.stringContaining('validation failed due to running out of cost budget')])
  })
})
