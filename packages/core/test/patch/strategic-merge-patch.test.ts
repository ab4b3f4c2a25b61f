import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyPatch } from '../../src/patch/index.ts'
import type { Schema } from '../../src/schema/index.ts'

const text: Schema = { type: 'string' }
const workers: Schema = {
  type: 'array',
  'x-kubernetes-patch-strategy': 'merge',
  'x-kubernetes-patch-merge-key': 'name',
  items: {
    type: 'object',
    properties: {
      name: text,
      command: { type: 'array', items: text },
      ports: {
        type: 'array',
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-patch-merge-key': 'port',
        items: { type: 'object', properties: { port: { type: 'integer' } } },
      },
    },
  },
}
const schema: Schema = {
  type: 'object',
  properties: {
    workers,
    finalizers: { type: 'array', 'x-kubernetes-patch-strategy': 'merge', items: text },
    args: { type: 'array', items: text },
    selector: { type: 'object', additionalProperties: text },
    strategy: { type: 'object', 'x-kubernetes-patch-strategy': 'retainKeys', properties: { type: text, rolling: { type: 'object' } } },
    whole: { type: 'object', 'x-kubernetes-patch-strategy': 'replace' },
    volumes: {
      type: 'array',
      'x-kubernetes-patch-strategy': 'merge,retainKeys',
      'x-kubernetes-patch-merge-key': 'name',
      items: { type: 'object' },
    },
  },
}

const patched = (current: object, patch: unknown) => applyPatch('strategic', schema, current, patch)

describe('strategic merge patch', () => {
  it.each<[string, object, object, object]>([
    [
      'merges maps and removes nulls',
      { selector: { a: '1', b: '2' } },
      { selector: { a: null, c: '3' } },
      { selector: { b: '2', c: '3' } },
    ],
    ['replaces lists without a strategy', { args: ['a', 'b'] }, { args: ['c'] }, { args: ['c'] }],
    ['replaces maps where the schema says so', { whole: { a: 1 } }, { whole: { b: 2 } }, { whole: { b: 2 } }],
    [
      'merges lists of maps by their key',
      { workers: [{ name: 'a', v: 1, w: 1 }, { name: 'b' }] },
      { workers: [{ name: 'a', v: 2 }] },
      { workers: [{ name: 'a', v: 2, w: 1 }, { name: 'b' }] },
    ],
    [
      'puts a new element behind the live ones that precede nothing patched',
      { workers: [{ name: 'a' }] },
      { workers: [{ name: 'b' }] },
      { workers: [{ name: 'b' }, { name: 'a' }] },
    ],
    [
      'merges lists in lists',
      { workers: [{ name: 'a', ports: [{ port: 1, x: 1 }] }] },
      { workers: [{ name: 'a', ports: [{ port: 1, y: 1 }, { port: 2 }] }] },
      { workers: [{ name: 'a', ports: [{ port: 1, x: 1, y: 1 }, { port: 2 }] }] },
    ],
    [
      'deletes an element',
      { workers: [{ name: 'a' }, { name: 'b' }] },
      { workers: [{ name: 'a', $patch: 'delete' }] },
      { workers: [{ name: 'b' }] },
    ],
    [
      'deletes nothing when it is not there',
      { workers: [{ name: 'b' }] },
      { workers: [{ name: 'a', $patch: 'delete' }] },
      { workers: [{ name: 'b' }] },
    ],
    ['deletes from a list that is not there', {}, { workers: [{ name: 'a', $patch: 'delete' }] }, { workers: [] }],
    ['replaces a list', { workers: [{ name: 'a' }] }, { workers: [{ $patch: 'replace' }, { name: 'c' }] }, { workers: [{ name: 'c' }] }],
    ['replaces a map', { selector: { a: '1' } }, { selector: { $patch: 'replace', b: '2' } }, { selector: { b: '2' } }],
    ['empties a map', { selector: { a: '1' } }, { selector: { $patch: 'delete' } }, { selector: {} }],
    [
      'takes $patch: merge as what it does anyway',
      { selector: { a: '1' }, workers: [{ name: 'a', x: 1 }] },
      { selector: { $patch: 'merge', b: '2' }, workers: [{ $patch: 'merge', name: 'a', y: 1 }] },
      { selector: { a: '1', b: '2' }, workers: [{ name: 'a', x: 1, y: 1 }] },
    ],
    ['adds primitives without repeating them', { finalizers: ['a', 'b'] }, { finalizers: ['b', 'c'] }, { finalizers: ['a', 'b', 'c'] }],
    ['deletes primitives', { finalizers: ['a', 'b', 'a'] }, { '$deleteFromPrimitiveList/finalizers': ['a'] }, { finalizers: ['b'] }],
    [
      'deletes and adds primitives in order',
      { finalizers: ['a', 'b'] },
      { '$setElementOrder/finalizers': ['c', 'b'], '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] },
      { finalizers: ['c', 'b'] },
    ],
    [
      'retains only the named keys',
      { strategy: { type: 'Rolling', rolling: { max: 1 } } },
      { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
      { strategy: { type: 'Recreate' } },
    ],
    [
      'retains keys of list elements',
      { volumes: [{ name: 'v', empty: {} }] },
      { volumes: [{ $retainKeys: ['name', 'host'], name: 'v', host: { path: '/' } }] },
      { volumes: [{ name: 'v', host: { path: '/' } }] },
    ],
    [
      'drops directives of new values',
      {},
      { strategy: { $retainKeys: ['type'], type: 'Recreate', rolling: null } },
      { strategy: { type: 'Recreate' } },
    ],
    ['removes a list by null', { workers: [{ name: 'a' }] }, { workers: null }, {}],
    [
      'treats a field that the schema does not know as plain JSON',
      { free: { a: [1] } },
      { free: { a: [2], b: 1 } },
      { free: { a: [2], b: 1 } },
    ],
    [
      'takes the patch where types differ',
      { selector: 'x', workers: {} },
      { selector: { a: '1' }, workers: [{ name: 'a' }] },
      { selector: { a: '1' }, workers: [{ name: 'a' }] },
    ],
  ])('%s', (_name, current, patch, expected) => {
    const before = structuredClone([current, patch])
    expect(patched(current, patch)).toEqual(expected)
    expect([current, patch]).toEqual(before)
  })

  const names = (list: string) => [...list].map((name) => ({ name }))
  it.each([
    ['an order alone', 'abc', '', 'cab', 'cab'],
    ['an element in the middle', 'ac', 'b', 'abc', 'abc'],
    ['live-only elements go before the first that followed them', 'axb', '', 'ba', 'xba'],
    ['live-only elements before their followers', 'xab', 'c', 'acb', 'xacb'],
    ['an element at the end', 'ab', 'c', 'abc', 'abc'],
  ])('$setElementOrder: %s', (_name, live, patch, order, expected) => {
    const body = { '$setElementOrder/workers': names(order), ...(patch === '' ? {} : { workers: names(patch) }) }
    expect(patched({ workers: names(live) }, body)).toEqual({ workers: names(expected) })
  })

  it.each([
    ['live-only elements stay before the first patched one that followed them', '12934', '2143', '21943'],
    ['several of them stay together', '1279834', '2143', '2179843'],
    ['one at the end stays at the end', '13429', '4231', '42319'],
    ['repeated ones stay together', '12324', '21432', '22143'],
  ])('$setElementOrder of primitives: %s', (_name, live, order, expected) => {
    expect(patched({ finalizers: [...live] }, { '$setElementOrder/finalizers': [...order] })).toEqual({ finalizers: [...expected] })
  })

  it('takes what kubectl sends when one element goes and another comes', () => {
    expect(
      patched(
        { workers: [{ name: 'old', v: 1 }, { name: 'keep', v: 1 }, { name: 'injected' }] },
        {
          '$setElementOrder/workers': [{ name: 'new' }, { name: 'keep' }],
          workers: [
            { name: 'new', v: 1 },
            { $patch: 'delete', name: 'old' },
          ],
        },
      ),
    ).toEqual({ workers: [{ name: 'new', v: 1 }, { name: 'keep', v: 1 }, { name: 'injected' }] })
  })

  it.each<[string, unknown, string]>([
    ['an unknown directive', { selector: { $patch: 'frob' } }, 'BadRequest'],
    ['an unknown directive in a list', { workers: [{ name: 'a', $patch: 'frob' }] }, 'BadRequest'],
    ['an element without its key', { workers: [{ v: 1 }] }, 'BadRequest'],
    ['a mixed list', { workers: [{ name: 'a' }, 'b'] }, 'BadRequest'],
    ['$retainKeys that is no list', { strategy: { $retainKeys: 'type' } }, 'BadRequest'],
    ['content that $retainKeys does not name', { strategy: { $retainKeys: ['type'], rolling: {} } }, 'Invalid'],
    ['an order that contradicts the patch', { '$setElementOrder/workers': names('ab'), workers: names('ba') }, 'BadRequest'],
    ['an order that is no list', { '$setElementOrder/workers': 1 }, 'BadRequest'],
    ['a patch that is no object', [], 'BadRequest'],
  ])('refuses %s', (_name, patch, reason) => {
    expect(() => patched({ workers: [{ name: 'z' }] }, patch)).toThrow(expect.objectContaining({ reason }))
  })

  it('done twice is done once', () => {
    const list = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'))
    fc.assert(
      fc.property(list, list, list, (live, change, order) => {
        const all = [...order, ...change.filter((name) => !order.includes(name))]
        const body = {
          '$setElementOrder/workers': all.map((name) => ({ name })),
          workers: all.filter((name) => change.includes(name)).map((name) => ({ name, v: 1 })),
        }
        const once = patched({ workers: live.map((name) => ({ name })) }, body)
        expect(patched(once, body)).toEqual(once)
        expect((once.workers as { name: string }[]).map(({ name }) => name).sort()).toEqual([...new Set([...live, ...change])].sort())
      }),
    )
  })
})
