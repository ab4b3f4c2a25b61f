import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Store } from '@continuo/core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { EtcdStore } from '../../packages/plugin-store-etcd/src/index.ts'
import { SqliteStore } from '../../packages/plugin-store-sqlite/src/index.ts'
import { snippets } from '../docs/markdown.ts'
import { openApi } from '../support/api.ts'
import { startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { type Etcd, etcdMissing, etcdNote, startEtcd } from '../support/etcd.ts'

const bin = fileURLToPath(new URL('../../packages/continuo/src/bin.ts', import.meta.url))
const configMaps = '/api/v1/namespaces/default/configmaps'

const held = async (store: Store): Promise<ReadonlyMap<string, string>> => {
  const { entries } = await store.list('')
  await store.close()
  return new Map(
    entries.filter(({ key }) => !key.startsWith('/meta/')).map(({ key, value }) => [key, Buffer.from(value).toString('base64')]),
  )
}

describe.skipIf(etcdMissing !== undefined)(`docs/store.md, as it is written${etcdNote}`, () => {
  let etcd: Etcd
  let home: Awaited<ReturnType<typeof dataDirectory>>
  let env: NodeJS.ProcessEnv
  const page = snippets('docs/store.md')
  const file = (name: string): string => join(home.path, name)
  const shell = (command: string) => promisify(execFile)('bash', ['-c', command], { cwd: home.path, env, timeout: 60_000 })
  const inEtcd = (): Store => new EtcdStore({ endpoints: etcd.endpoints, prefix: 'continuo:' })

  beforeAll(async () => {
    etcd = await startEtcd()
    home = await dataDirectory('store-page')
    await mkdir(file('bin'))
    await writeFile(file('bin/continuo'), `#!/bin/sh\nexec '${process.execPath}' --conditions=@continuo/source '${bin}' "$@"\n`)
    await chmod(file('bin/continuo'), 0o755)
    env = { ...process.env, PATH: [file('bin'), process.env.PATH].join(delimiter) }
    for (const { language, text, notes } of page.filter(({ notes }) => notes.file !== undefined)) {
      expect(language).toBe('yaml')
      await writeFile(file(notes.file as string), text.replace('http://127.0.0.1:2379', etcd.endpoints[0] as string))
    }
  })
  afterAll(async () => {
    await etcd?.stop()
    await home?.remove()
  })

  /** Lines of the page's commands, except the one that stays in the foreground. */
  const commands = (): readonly string[] =>
    page
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => text.trim().split('\n'))
      .filter((line) => line !== 'continuo up --config on-etcd.yaml')

  it('moves a cluster from SQLite to etcd and back, byte for byte, and gives no resource version twice', { timeout: 180_000 }, async () => {
    const laptop = await startProcess({ dataDir: file('.continuo') })
    onTestFinished(() => laptop.kill().catch(() => {}))
    const before = await openApi(laptop.kubeconfig)
    for (let i = 0; i < 150; i++) {
      await before.apply(configMaps, Object.assign(configMap(`map-${i}`), { data: { text: `grüße ${i} ${'x'.repeat(i * 20)}` } }))
    }
    const { resourceVersion: old } = (await before.ok('GET', configMaps)).body.metadata
    await expect(shell('continuo snapshot save cluster.snapshot')).rejects.toMatchObject({
      stderr: expect.stringMatching(new RegExp(`in use by process ${laptop.pid}.*Stop that process`, 's')),
    })
    await laptop.interrupt()
    const inSqlite = await held(await SqliteStore.open(file('.continuo/store')))

    expect(commands()).toHaveLength(2)
    for (const command of commands()) await shell(command)
    expect(await held(inEtcd())).toEqual(inSqlite)
    await expect(shell(commands()[1] as string)).rejects.toMatchObject({ stderr: expect.stringContaining('--replace') })

    const moved = await startProcess({ dataDir: file('.continuo'), config: file('on-etcd.yaml') })
    onTestFinished(() => moved.kill().catch(() => {}))
    const after = await openApi(moved.kubeconfig)
    const list = (await after.ok('GET', configMaps)).body
    expect(list.items.filter(({ metadata }: { metadata: { name: string } }) => metadata.name.startsWith('map-'))).toHaveLength(150)
    for (const { metadata } of [list, ...list.items]) expect(Number(metadata.resourceVersion)).toBeGreaterThan(Number(old))
    const expired = await after.send('GET', `${configMaps}?watch=1&resourceVersion=${old}&timeoutSeconds=1`)
    expect(`${expired.status} ${expired.text}`).toContain('410')
    const stale = list.items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === 'map-1')
    const put = { ...stale, metadata: { ...stale.metadata, resourceVersion: old } }
    expect((await after.send('PUT', `${configMaps}/map-1`, { body: put })).status).toBe(409)
    await after.apply(configMaps, Object.assign(configMap('written-on-etcd'), { data: {} }))

    // etcd may be saved while the cluster runs.
    await shell('continuo snapshot save second.snapshot --config on-etcd.yaml')
    await moved.interrupt()
    await shell('continuo snapshot restore second.snapshot --data-dir back')
    const back = await held(await SqliteStore.open(file('back/store')))
    expect(back.has('/registry/core/configmaps/default/written-on-etcd')).toBe(true)
    for (const [key, value] of inSqlite) if (key.includes('/configmaps/')) expect(back.get(key)).toBe(value)
    await cp(file('.continuo/pki'), file('back/pki'), { recursive: true })
    const again = await startProcess({ dataDir: file('back') })
    onTestFinished(() => again.kill().catch(() => {}))
    const { body } = await (await openApi(again.kubeconfig)).ok('GET', configMaps)
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(Number(list.metadata.resourceVersion))
    await again.interrupt()
  })
})

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
