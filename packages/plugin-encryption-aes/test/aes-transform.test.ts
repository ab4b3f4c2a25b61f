import { createSecretKey, randomBytes } from 'node:crypto'
import type { Random } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { AesTransform } from '../src/aes-transform.ts'
import { encryptedResources } from '../src/encrypted-resources.ts'

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) } as Random
const [old, fresh] = [createSecretKey(randomBytes(32)), createSecretKey(randomBytes(32))]
const at = '/registry/core/secrets/default/one'
const plain = Buffer.from('{"a":"the-pass-phrase"}')
const transform = (keys: Record<string, typeof old>) =>
  new AesTransform(new Map(Object.entries(keys)), Object.keys(keys)[0] as string, encryptedResources(['secrets']), random)

describe('AES transform', () => {
  it('opens what an older key sealed and names the first key for writing', () => {
    const sealed = transform({ old }).encrypt(plain, 'old', at)
    const both = transform({ fresh, old })
    expect(both.writeKey(at)).toBe('fresh')
    expect(Buffer.from(both.decrypt(sealed, 'old', at))).toEqual(plain)
    expect(Buffer.from(sealed).includes('pass-phrase')).toBe(false)
  })

  it('never seals the same twice', () => {
    const one = transform({ old })
    expect(one.encrypt(plain, 'old', at)).not.toEqual(one.encrypt(plain, 'old', at))
  })

  it('refuses a value that was moved, altered, cut short, or is said to be of another key', () => {
    const both = transform({ fresh, old, same: old })
    const sealed = Buffer.from(both.encrypt(plain, 'old', at))
    const altered = Buffer.from(sealed)
    altered[20] = (altered[20] as number) ^ 1
    const refused = expect.objectContaining({ code: 'ENCRYPTION_REFUSED' })
    expect(() => both.decrypt(sealed, 'old', '/registry/core/secrets/default/two')).toThrow(refused)
    expect(() => both.decrypt(sealed, 'same', at)).toThrow(refused)
    expect(() => both.decrypt(sealed, 'fresh', at)).toThrow(refused)
    expect(() => both.decrypt(altered, 'old', at)).toThrow(refused)
    for (let length = 0; length < sealed.length; length++)
      expect(() => both.decrypt(sealed.subarray(0, length), 'old', at)).toThrow(refused)
  })

  it('names a key that is missing and what to do', () => {
    const sealed = transform({ old }).encrypt(plain, 'old', at)
    expect(() => transform({ fresh }).decrypt(sealed, 'old', at)).toThrow(
      expect.objectContaining({
        code: 'ENCRYPTION_KEY_MISSING',
        message: expect.stringContaining('"old"'),
        hint: expect.stringContaining('fresh'),
      }),
    )
  })
})

describe('encrypted resources', () => {
  it.each([
    ['secrets', at, true],
    ['secrets', '/registry/core/configmaps/default/one', false],
    ['secrets', '/registry/example.com/secrets/default/one', false],
    ['widgets.example.com', '/registry/example.com/widgets/one', true],
    ['*.example.com', '/registry/example.com/other/one', true],
    ['*', '/registry/apps/deployments/default/one', true],
    ['*', '/allocations/addresses/one', false],
  ])('%s of %s: %s', (name, key, expected) => expect(encryptedResources([name])(key)).toBe(expected))
})
