import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@continuo/core'
import { expect, it, onTestFinished } from 'vitest'
import { newCertificateKey, openKeys, sealKeys } from '../../src/join/control-plane-keys.ts'

const directory = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'continuo-keys-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

const files = ['pki/ca.crt', 'pki/ca.key', 'service-account-tokens/keys.json']

async function controlPlane(): Promise<string> {
  const path = await directory()
  for (const file of files) {
    await mkdir(join(path, file, '..'), { recursive: true })
    await writeFile(join(path, file), `content of ${file}`)
  }
  return path
}

it('keys of a control plane arrive at another one, for its owner alone, and are not readable on the way', async () => {
  const key = newCertificateKey(systemRandom)
  const sealed = await sealKeys(await controlPlane(), key, systemRandom)
  expect(Object.values(sealed.data ?? {}).map((text) => Buffer.from(text, 'base64').toString('latin1'))).not.toContainEqual(
    expect.stringContaining('content'),
  )
  const other = await directory()
  await openKeys(sealed, key, other)
  for (const file of files) {
    expect(await readFile(join(other, file), 'utf8')).toBe(`content of ${file}`)
    expect((await stat(join(other, file))).mode & 0o777).toBe(0o600)
  }
})

it('keys of a control plane are not opened by another key, or in each other’s place, and nothing is written then', async () => {
  const key = newCertificateKey(systemRandom)
  const sealed = await sealKeys(await controlPlane(), key, systemRandom)
  const other = await directory()
  const wrong = expect.objectContaining({ code: 'JOIN_CERTIFICATE_KEY' })
  await expect(openKeys(sealed, newCertificateKey(systemRandom), other)).rejects.toEqual(wrong)
  await expect(openKeys(sealed, 'short', other)).rejects.toEqual(wrong)
  const { 'pki.ca.crt': one = '', 'pki.ca.key': two = '', ...rest } = sealed.data ?? {}
  await expect(openKeys({ ...sealed, data: { ...rest, 'pki.ca.crt': two, 'pki.ca.key': one } }, key, other)).rejects.toEqual(wrong)
  expect(await readdir(other)).toEqual([])
})

it('keys of a control plane are not written over those of another cluster; over its own they are', async () => {
  const key = newCertificateKey(systemRandom)
  const sealed = await sealKeys(await controlPlane(), key, systemRandom)
  const other = await controlPlane()
  await openKeys(sealed, key, other)
  await writeFile(join(other, 'pki/ca.crt'), 'another authority')
  await writeFile(join(other, 'pki/ca.key'), 'its key')
  await expect(openKeys(sealed, key, other)).rejects.toEqual(expect.objectContaining({ code: 'JOIN_OTHER_CLUSTER' }))
  expect(await readFile(join(other, 'pki/ca.key'), 'utf8')).toBe('its key')
})
