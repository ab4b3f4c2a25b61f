import { describe, expect, it } from 'vitest'
import { claimKey, collectionPrefix, objectKey, parseObjectKey, type ValueTransform } from '../../src/index.ts'
import { openValue, sealText } from '../../src/resources/value-envelope.ts'
import { widgetResource } from '../client/cluster.ts'

const cluster = { ...widgetResource, group: '', plural: 'things', namespaced: false }

describe('storage keys', () => {
  it('place objects by group, plural, namespace and name', () => {
    expect(objectKey(widgetResource, 'ns', 'a')).toBe('/registry/demo.io/widgets/ns/a')
    expect(objectKey(cluster, '', 'a')).toBe('/registry/core/things/a')
    expect(collectionPrefix(widgetResource, '')).toBe('/registry/demo.io/widgets/')
    expect(collectionPrefix(widgetResource, 'ns')).toBe('/registry/demo.io/widgets/ns/')
    expect(parseObjectKey(widgetResource, '/registry/demo.io/widgets/ns/a')).toEqual({ namespace: 'ns', name: 'a' })
    expect(parseObjectKey(cluster, '/registry/core/things/a')).toEqual({ namespace: '', name: 'a' })
  })

  it.each(['..', '.', 'a/b', '../a', 'a\0b', '', 'a%2fb'])('refuse the name %j', (name) => {
    expect(() => objectKey(widgetResource, 'ns', name)).toThrow(expect.objectContaining({ status: 400 }))
    expect(() => objectKey(widgetResource, name, 'a')).toThrow(expect.objectContaining({ status: 400 }))
  })

  it('keep claims below allocations', () => {
    expect(claimKey('allocations/ports/80')).toBe('/allocations/ports/80')
    for (const key of ['registry/core/x', 'allocations/../registry/x', 'allocations', 'allocations//a'])
      expect(() => claimKey(key)).toThrow()
  })
})

const xor: ValueTransform = {
  writeKey: () => 'k1',
  encrypt: (plain, _keyId, key) => plain.map((byte) => byte ^ 0x55 ^ (key.length & 0x7f)),
  decrypt(sealed, keyId, key) {
    if (keyId !== 'k1') throw new TypeError('unknown key')
    return sealed.map((byte) => byte ^ 0x55 ^ (key.length & 0x7f))
  },
}

describe('value envelopes', () => {
  it('hold the payload plainly, or sealed with the id of its key', () => {
    const plain = sealText('{"ä":1}', '/a', undefined)
    expect(openValue(plain, '/a', undefined).toString()).toBe('{"ä":1}')
    expect([...plain.subarray(0, 3)]).toEqual([1, 1, 0])
    const sealed = sealText('{"ä":1}', '/a', xor)
    expect(Buffer.from(sealed).includes('{')).toBe(false)
    expect(openValue(sealed, '/a', xor).toString()).toBe('{"ä":1}')
  })

  it('refuse what they did not write, with what to do about it', () => {
    expect(() => openValue(Buffer.from('{"a":1}'), '/a', undefined)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    expect(() => openValue(sealText('{}', '/a', xor), '/a', undefined)).toThrow(/value-transform\/v1/)
    expect(() => openValue(sealText('{}', '/a', { ...xor, writeKey: () => 'k2' }), '/a', xor)).toThrow(/"k2"/)
  })
})
