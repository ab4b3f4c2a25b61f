import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHost, type Host, HostSettingsCap, ObjectClientCap, objectsPlugin } from '@continuo/core'
import { encryption } from '@continuo/plugin-encryption-aes'
import { Secret, workloadKinds } from '@continuo/workload'
import { expect, it, onTestFinished } from 'vitest'
import { storeSqlite } from '../../packages/plugin-store-sqlite/src/index.ts'

const key = (name: string, byte: number) => ({ name, secret: Buffer.alloc(32, byte).toString('base64') })
const [old, fresh] = [key('old', 1), key('fresh', 2)]
const plain = Buffer.from('the-pass-phrase').toString('base64')
const at = { namespace: 'default', name: 'kept' }
const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: at, data: { key: plain } }

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'access-encryption-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A control plane on the directory, for as long as `use` runs. */
async function within<T>(dataDir: string, keys: readonly object[], use: (host: Host) => Promise<T>): Promise<T> {
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    inherit: [[HostSettingsCap, { dataDir, clusterName: 'test' }]],
    plugins: [
      { slot: 'store', plugin: storeSqlite },
      { slot: 'objects', plugin: objectsPlugin },
      { slot: 'kinds', plugin: workloadKinds },
      ...(keys.length === 0 ? [] : [{ slot: 'encryption', plugin: encryption, config: { keys } }]),
    ],
  })
  await host.start()
  try {
    return await use(host)
  } finally {
    await host.stop()
  }
}

/** Everything below the directory: database, log, whatever else. */
async function bytesOf(path: string): Promise<Buffer> {
  const files = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  return Buffer.concat(await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name)))))
}
const create = (host: Host) => host.use(ObjectClientCap).for(Secret).create(secret)
const read = async (host: Host) => (await host.use(ObjectClientCap).for(Secret).get(at)).data?.key

it('leaves no plain text in the database or its log, while it runs and afterwards', async () => {
  const path = await directory()
  await within(path, [old], async (host) => {
    await create(host)
    expect((await bytesOf(path)).includes(plain)).toBe(false)
    expect(await read(host)).toBe(plain)
  })
  const bytes = await bytesOf(path)
  expect(bytes.includes(plain)).toBe(false)
  expect(bytes.includes('/registry/core/secrets/default/kept')).toBe(true)
})

it('finds the plain text where nothing encrypts, so that the search is worth something', async () => {
  const path = await directory()
  await within(path, [], create)
  expect((await bytesOf(path)).includes(plain)).toBe(true)
})

it('reads what was written plain or with an older key, and writes with the first', async () => {
  const path = await directory()
  await within(path, [], create)
  await within(path, [old], async (host) => {
    expect(await read(host)).toBe(plain)
    await host
      .use(ObjectClientCap)
      .for(Secret)
      .patch(at, { type: 'merge', body: { metadata: { labels: { turn: 'old' } } } })
  })
  await within(path, [fresh, old], async (host) => {
    expect(await read(host)).toBe(plain)
    await host
      .use(ObjectClientCap)
      .for(Secret)
      .patch(at, { type: 'merge', body: { metadata: { labels: { turn: 'fresh' } } } })
  })
  expect(await within(path, [fresh], read)).toBe(plain)
})

it('writes an object that does not change anew when it lies under an older key, and only then', async () => {
  const path = await directory()
  await within(path, [old], create)
  await within(path, [fresh, old], async (host) => {
    const secrets = host.use(ObjectClientCap).for(Secret)
    const before = await secrets.get(at)
    const rewritten = await secrets.update(before as Secret)
    expect(rewritten.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion)
    expect((await secrets.update(rewritten as Secret)).metadata.resourceVersion).toBe(rewritten.metadata.resourceVersion)
  })
  expect(await within(path, [fresh], read)).toBe(plain)
})

it('loses nothing by a missing or a wrong key: the right one opens it again', async () => {
  const path = await directory()
  await within(path, [old], create)
  await expect(within(path, [fresh], read)).rejects.toThrow()
  await expect(within(path, [key('old', 9)], read)).rejects.toThrow()
  expect(await within(path, [old], read)).toBe(plain)
})
