import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyJsonPatch, applyMergePatch, applyPatch } from '../../src/patch/index.ts'

describe('JSON patch (RFC 6902)', () => {
  it.each<[string, unknown, unknown[], unknown]>([
    ['A.1 adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
    ['A.2 adds an element', { foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    ['A.3 removes a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    ['A.4 removes an element', { foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    ['A.5 replaces a value', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
    [
      'A.6 moves a value',
      { foo: { waldo: 'fred' }, qux: {} },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: {}, qux: { thud: 'fred' } },
    ],
    [
      'A.7 moves an element',
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [
      'A.8 tests values',
      { baz: 'qux', foo: ['a', 2, 'c'] },
      [
        { op: 'test', path: '/baz', value: 'qux' },
        { op: 'test', path: '/foo/1', value: 2 },
      ],
      { baz: 'qux', foo: ['a', 2, 'c'] },
    ],
    [
      'A.10 adds a nested object',
      { foo: 'bar' },
      [{ op: 'add', path: '/child', value: { grandchild: {} } }],
      { foo: 'bar', child: { grandchild: {} } },
    ],
    ['A.11 ignores unknown members', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }], { foo: 'bar', baz: 'qux' }],
    ['A.14 escapes', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    ['A.16 appends', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }], { foo: ['bar', ['abc', 'def']] }],
    [
      'copies',
      { a: { b: [1] } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'add', path: '/c/b/-', value: 2 },
      ],
      { a: { b: [1] }, c: { b: [1, 2] } },
    ],
    ['sets null', { a: 1 }, [{ op: 'replace', path: '/a', value: null }], { a: null }],
    ['adds over an existing member', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
    ['replaces the document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }], { b: 1 }],
    [
      'reaches own members that have inherited names',
      { constructor: { toString: 1 } },
      [{ op: 'replace', path: '/constructor/toString', value: 2 }],
      { constructor: { toString: 2 } },
    ],
  ])('%s', (_name, current, patch, expected) => {
    const before = structuredClone(current)
    expect(applyJsonPatch(current, patch)).toEqual(expected)
    expect(current).toEqual(before)
  })

  it.each<[string, unknown[]]>([
    ['A.9 a test that fails', [{ op: 'test', path: '/baz', value: 'bar' }]],
    ['A.12 a parent that is missing', [{ op: 'add', path: '/x/y', value: 1 }]],
    ['A.15 a number for a string', [{ op: 'test', path: '/list/0', value: '1' }]],
    ['removal of what is missing', [{ op: 'remove', path: '/nope' }]],
    ['replacement of what is missing', [{ op: 'replace', path: '/nope', value: 1 }]],
    ['an index beyond the end', [{ op: 'add', path: '/list/9', value: 1 }]],
    ['an index with a leading zero', [{ op: 'add', path: '/list/00', value: 1 }]],
    ['a copy from nowhere', [{ op: 'copy', from: '/nope', path: '/x' }]],
    ['a move into itself', [{ op: 'move', from: '/obj', path: '/obj/x' }]],
    ['what objects inherit', [{ op: 'add', path: '/toString/polluted', value: 1 }]],
    ['__proto__', [{ op: 'add', path: '/__proto__/polluted', value: 1 }]],
    ['constructor.prototype', [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }]],
  ])('refuses %s with 422', (_name, patch) => {
    expect(() => applyJsonPatch({ baz: 'qux', list: [1], obj: {} }, patch)).toThrow(
      expect.objectContaining({
        reason: 'Invalid',
        status: 422,
        message: expect.stringMatching(/^the server rejected our request due to an error in our request/),
      }),
    )
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect((Object.prototype.toString as unknown as Record<string, unknown>).polluted).toBeUndefined()
  })

  it.each([
    {},
    [1],
    [{ op: 'frob', path: '/a' }],
    [{ op: 'add', path: 'a', value: 1 }],
    [{ op: 'add', path: '/a' }],
    [{ op: 'move', path: '/a' }],
  ])('refuses %j with 400', (patch) => {
    expect(() => applyJsonPatch({}, patch)).toThrow(
      expect.objectContaining({ reason: 'BadRequest', message: expect.stringMatching(/^error decoding patch/) }),
    )
  })

  it.each([
    ['', '/a'],
    ['/a', '/a/b/c'],
  ])('refuses to move %j below itself, to %j', (from, path) => {
    expect(() => applyJsonPatch({ a: { b: {} } }, [{ op: 'move', from, path }])).toThrow(expect.objectContaining({ status: 422 }))
    expect(applyJsonPatch({ a: 1 }, [{ op: 'move', from: '/a', path: '/a' }])).toEqual({ a: 1 })
    expect(applyJsonPatch({ a: 1, ab: {} }, [{ op: 'move', from: '/a', path: '/ab/c' }])).toEqual({ ab: { c: 1 } })
  })

  it('refuses more than ten thousand operations', () => {
    const patch = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }))
    expect(() => applyJsonPatch({ a: 1 }, patch)).toThrow(
      expect.objectContaining({ status: 413, message: 'The allowed maximum operations in a JSON patch is 10000, got 10001' }),
    )
  })

  it('refuses copies that double themselves', () => {
    const patch = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/a', path: `/a/x${i}` }))
    expect(() => applyJsonPatch({ a: { s: 'x'.repeat(100) } }, patch)).toThrow(expect.objectContaining({ status: 413 }))
  })
})

describe('merge patch (RFC 7386)', () => {
  it.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (current, patch, expected) => {
    const before = structuredClone(current)
    expect(applyMergePatch(current, patch)).toEqual(expected)
    expect(current).toEqual(before)
  })

  it('done twice is done once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (current, patch) => {
        const once = applyMergePatch(current, patch)
        expect(applyMergePatch(once, patch)).toEqual(once)
      }),
    )
  })

  it('never touches a prototype', () => {
    const merged = applyMergePatch({}, JSON.parse('{"__proto__": {"polluted": 1}}')) as object
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype)
  })
})

describe('applyPatch', () => {
  it('refuses a strategic merge patch without a schema', () => {
    expect(() => applyPatch('strategic', undefined, {}, {})).toThrow(
      expect.objectContaining({ status: 415, reason: 'UnsupportedMediaType' }),
    )
  })

  it('insists on objects', () => {
    expect(() => applyPatch('merge', undefined, {}, [])).toThrow(expect.objectContaining({ reason: 'BadRequest' }))
    expect(() => applyPatch('json', undefined, {}, [{ op: 'replace', path: '', value: [] }])).toThrow(
      expect.objectContaining({ reason: 'BadRequest' }),
    )
  })
})
