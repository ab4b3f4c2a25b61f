import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHost, type Host, HostSettingsCap, MetricsCap, ObjectClientCap, objectsPlugin, StoreCap, writeSnapshot } from '@continuo/core'
import { encryption } from '@continuo/plugin-encryption-aes'
import { Secret, workloadKinds } from '@continuo/workload'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createRecordingLog } from '../../packages/core/test/fakes/recording-log.ts'
import { storeSqlite } from '../../packages/plugin-store-sqlite/src/index.ts'

const key = (name: string, byte: number) => ({ name, secret: Buffer.alloc(32, byte).toString('base64') })
const [old, fresh] = [key('old', 1), key('fresh', 2)]
const plain = Buffer.from('the-pass-phrase').toString('base64')
const at = { namespace: 'default', name: 'kept' }
const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: at, data: { key: plain } }

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'attacks-encryption-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A control plane on the directory, for as long as `use` runs. */
async function within<T>(
  dataDir: string,
  keys: readonly object[],
  use: (host: Host) => Promise<T>,
  log = createRecordingLog(),
): Promise<T> {
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    log,
    inherit: [[HostSettingsCap, { dataDir, clusterName: 'test' }]],
    plugins: [
      { slot: 'store', plugin: storeSqlite },
      { slot: 'objects', plugin: objectsPlugin, config: { compactionRetentionSeconds: 1 } },
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

it('leaves an object that does not change under the first key after an update, and writes it no more', async () => {
  const path = await directory()
  await within(path, [old], create)
  await within(path, [fresh, old], async (host) => {
    const secrets = host.use(ObjectClientCap).for(Secret)
    const { resourceVersion: _before, ...metadata } = (await secrets.get(at)).metadata
    // Without a version: the leader may have written it anew already.
    const rewritten = await secrets.update({ ...secret, metadata })
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

it('rotates by itself: everything is brought under the new key, the log says so, and the old one can be taken away', async () => {
  const path = await directory()
  const total = 25
  await within(path, [], async (host) => {
    for (let index = 0; index < total; index++)
      await host
        .use(ObjectClientCap)
        .for(Secret)
        .create({ ...secret, metadata: { ...at, name: `kept-${index}` } })
  })
  const pending = /continuo_storage_rewrites_pending\{reason="(plain|key)"\} 0/g
  const settled = (host: Host, key: string) =>
    vi.waitFor(
      async () => {
        const metrics = await host.use(MetricsCap).expose()
        expect(metrics).toContain(`continuo_storage_encrypted_objects{key="${key}"} ${total}`)
        expect(metrics.match(pending)).toHaveLength(2)
      },
      { timeout: 10_000 },
    )
  await within(path, [old], (host) => settled(host, 'old'))
  const log = createRecordingLog()
  const isOver = (key: string) => log.entries.some((entry) => entry.key === key && entry.message.includes('needs this key any more'))
  const untilTold = async (host: Host): Promise<void> => {
    await settled(host, 'fresh')
    await vi.waitFor(() => expect(isOver('old')).toBe(true), { timeout: 10_000 })
  }
  await within(path, [fresh, old], untilTold, log)
  expect(isOver('fresh')).toBe(false)
  const names = await within(path, [fresh], async (host) => {
    const { items } = await host.use(ObjectClientCap).for(Secret).list()
    return items.filter((item) => item.data?.key === plain).map((item) => item.metadata.name)
  })
  expect(names).toHaveLength(total)
})

it('leaves no plain text in a snapshot, but it does where nothing encrypts', async () => {
  const snapshot = async (host: Host): Promise<string> => {
    await create(host)
    const values: string[] = []
    for await (const lines of writeSnapshot(host.use(StoreCap)))
      for (const line of lines.trimEnd().split('\n'))
        values.push(line, Buffer.from(JSON.parse(line).value ?? '', 'base64').toString('latin1'))
    return values.join('\n')
  }
  expect(await within(await directory(), [old], snapshot)).not.toContain(plain)
  expect(await within(await directory(), [], snapshot)).toContain(plain)
})
