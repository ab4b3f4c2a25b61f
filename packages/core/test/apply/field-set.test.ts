import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  differenceFields,
  emptyFields,
  equalFields,
  type FieldSet,
  fieldPaths,
  formatFieldsV1,
  hasField,
  intersectFields,
  isEmptyFields,
  parseFieldsV1,
  showFieldPath,
  unionFields,
  withField,
  withoutSubtrees,
} from '../../src/apply/index.ts'

const paths = fc.array(fc.array(fc.constantFrom('f:a', 'f:b', 'k:{"n":"x"}', 'v:1'), { minLength: 1, maxLength: 4 }), { maxLength: 8 })
const setOf = (list: readonly (readonly string[])[]): FieldSet => list.reduce<FieldSet>((set, path) => withField(set, path), emptyFields)
const textOf = (set: FieldSet) => [...fieldPaths(set)].map((path) => path.join('/')).sort()
const wanted = (list: readonly string[][]) => [...new Set(list.map((path) => path.join('/')))].sort()

describe('field sets', () => {
  it('behave as sets of paths', () => {
    fc.assert(
      fc.property(paths, paths, (left, right) => {
        const a = setOf(left)
        const b = setOf(right)
        const inRight = new Set(wanted(right))
        expect(textOf(a)).toEqual(wanted(left))
        expect(textOf(unionFields(a, b))).toEqual(wanted([...left, ...right]))
        expect(textOf(differenceFields(a, b))).toEqual(wanted(left).filter((path) => !inRight.has(path)))
        expect(textOf(intersectFields(a, b))).toEqual(wanted(left).filter((path) => inRight.has(path)))
        expect(textOf(withoutSubtrees(a, b))).toEqual(
          wanted(left).filter((path) => ![...inRight].some((cut) => path === cut || path.startsWith(`${cut}/`))),
        )
        expect(left.every((path) => hasField(a, path))).toBe(true)
        expect(equalFields(a, b)).toBe(wanted(left).join() === wanted(right).join())
        expect(isEmptyFields(a)).toBe(left.length === 0)
      }),
    )
  })

  it('survive FieldsV1 in both directions, and equal sets are equal text', () => {
    fc.assert(
      fc.property(paths, (list) => {
        const text = JSON.stringify(formatFieldsV1(setOf(list)))
        expect(equalFields(parseFieldsV1(JSON.parse(text)) as FieldSet, setOf(list))).toBe(true)
        expect(JSON.stringify(formatFieldsV1(setOf([...list].reverse())))).toBe(text)
      }),
    )
  })

  it('are written as Kubernetes writes them', () => {
    const set = setOf([
      ['f:spec', 'f:ports'],
      ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}'],
      ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:port'],
      ['f:spec', 'f:tags', 'v:"x"'],
    ])
    expect(JSON.stringify(formatFieldsV1(set))).toBe(
      '{"f:spec":{"f:ports":{".":{},"k:{\\"port\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:port":{}}},"f:tags":{"v:\\"x\\"":{}}}}',
    )
  })

  it('are read with keys in any order, and refused when malformed', () => {
    expect(parseFieldsV1({ 'k:{"b": 1, "a":2}': { '.': {} } })).toEqual({ 'k:{"a":2,"b":1}': {} })
    expect(parseFieldsV1({ '.': {}, 'f:a': {} })).toMatchObject({ 'f:a': {} })
    for (const bad of [{ a: {} }, { 'f:a': 1 }, { 'k:[1]': {} }, { 'k:{': {} }, { 'i:x': {} }, [], 'x', null, { 'f:a': { b: {} } }])
      expect(parseFieldsV1(bad)).toBeUndefined()
  })

  it('change nothing in place', () => {
    fc.assert(
      fc.property(paths, paths, (left, right) => {
        const [a, b] = [setOf(left), setOf(right)]
        const before = JSON.stringify([a, b])
        unionFields(a, b)
        differenceFields(a, b)
        intersectFields(a, b)
        withoutSubtrees(a, b)
        expect(JSON.stringify([a, b])).toBe(before)
      }),
    )
  })

  it('show a path as people read it', () => {
    expect(showFieldPath(['f:spec', 'f:workers', 'k:{"name":"x","port":80}', 'f:cmd'])).toBe('.spec.workers[name="x",port=80].cmd')
    expect(showFieldPath(['f:spec', 'f:tags', 'v:"x"', 'i:3'])).toBe('.spec.tags[="x"][3]')
  })
})
