import { generateKeyPairSync } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MemoryStore } from '@continuo/core'
import { decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { KeyRing, type KeyRingOptions } from '../../src/keys/key-ring.ts'
import { startControlPlane, temporaryDirectory } from '../control-plane.ts'

const dayMs = 86_400_000
const options = (file: string | undefined, more: Partial<KeyRingOptions> = {}): KeyRingOptions => ({
  file,
  algorithm: 'ES256',
  rotateMs: 10 * dayMs,
  keepMs: 30 * dayMs,
  ...more,
})

describe('a key ring', () => {
  it('says that it was not loaded', () => {
    expect(() => new KeyRing({ file: undefined, algorithm: 'ES256', rotateMs: 1, keepMs: 1 }).signing).toThrow(
      expect.objectContaining({ code: 'TOKEN_KEYS_NOT_LOADED' }),
    )
  })

  it('keeps its key for its owner alone, and finds it again', async () => {
    const directory = await temporaryDirectory()
    const file = join(directory, 'deep', 'keys.json')
    const first = new KeyRing(options(file))
    await first.refresh(0)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(join(directory, 'deep'))).mode & 0o777).toBe(0o700)
    const again = new KeyRing(options(file))
    await again.refresh(dayMs)
    expect(again.signing.id).toBe(first.signing.id)
    expect(again.verifying).toHaveLength(1)
  })

  it('rotates by age: the old key verifies as long as its tokens may live, without its private half', async () => {
    const file = join(await temporaryDirectory(), 'keys.json')
    const ring = new KeyRing(options(file))
    await ring.refresh(0)
    const old = ring.signing.id
    await ring.refresh(9 * dayMs)
    expect(ring.signing.id).toBe(old)
    await ring.refresh(10 * dayMs)
    expect(ring.signing.id).not.toBe(old)
    expect(ring.find(old)).toBeDefined()
    expect((await readFile(file, 'utf8')).match(/PRIVATE KEY-----/g)).toHaveLength(2)
    const later = new KeyRing(options(file))
    await later.refresh(39 * dayMs)
    expect(later.find(old)).toBeDefined()
    await later.refresh(40 * dayMs)
    expect(later.find(old)).toBeUndefined()
  })

  it('takes a new key when another algorithm is wanted', async () => {
    const file = join(await temporaryDirectory(), 'keys.json')
    const ring = new KeyRing(options(file))
    await ring.refresh(0)
    const other = new KeyRing(options(file, { algorithm: 'RS256' }))
    await other.refresh(1)
    expect(other.signing.algorithm).toBe('RS256')
    expect(other.find(ring.signing.id)?.algorithm).toBe('ES256')
  })

  it('uses keys of others without writing', async () => {
    const directory = await temporaryDirectory()
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const further = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const signingKeyFile = join(directory, 'sign.pem')
    const more = join(directory, 'more.pem')
    await writeFile(signingKeyFile, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await writeFile(more, further.publicKey.export({ type: 'spki', format: 'pem' }))
    const ring = new KeyRing(options(join(directory, 'keys.json'), { signingKeyFile, verificationKeyFiles: [more] }))
    await ring.refresh(0)
    expect(ring.verifying.map(({ algorithm }) => algorithm)).toEqual(['ES256', 'RS256'])
    await expect(stat(join(directory, 'keys.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('refuses a file that it cannot read, and keys that do not sign well', async () => {
    const directory = await temporaryDirectory()
    const file = join(directory, 'keys.json')
    await writeFile(file, '{"version":1')
    await expect(new KeyRing(options(file)).refresh(0)).rejects.toMatchObject({ code: 'TOKEN_KEYS_UNREADABLE' })
    const signingKeyFile = join(directory, 'weak.pem')
    await writeFile(signingKeyFile, generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }))
    await expect(new KeyRing(options(undefined, { signingKeyFile })).refresh(0)).rejects.toMatchObject({ code: 'TOKEN_KEY_UNFIT' })
    await writeFile(signingKeyFile, 'nothing')
    await expect(new KeyRing(options(undefined, { signingKeyFile })).refresh(0)).rejects.toMatchObject({ code: 'TOKEN_KEYS_UNREADABLE' })
  })
})

it('accepts tokens from before a restart and a rotation', async () => {
  const store = new MemoryStore()
  const first = await startControlPlane({ store })
  await first.account('robot')
  const token = await first.token('robot')
  await first.stop()
  const second = await startControlPlane({ store, directory: first.directory, config: { algorithm: 'RS256' } })
  expect((await second.user(token))?.username).toBe('system:serviceaccount:default:robot')
  expect(decodeProtectedHeader(await second.token('robot')).alg).toBe('RS256')
  expect((await second.document('openid/v1/jwks')).keys.map((key: { alg: string }) => key.alg)).toEqual(['RS256', 'ES256'])
})
