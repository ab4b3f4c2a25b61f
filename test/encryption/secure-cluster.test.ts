import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { snippets } from '../docs/markdown.ts'
import { openApi } from '../support/api.ts'
import { startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'

const secure = snippets('docs/security.md').find(({ notes }) => notes.file === 'secure.yaml')?.text ?? ''

async function bytesOf(path: string): Promise<Buffer> {
  const files = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  return Buffer.concat(await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name)))))
}

it('the cluster of the page on security audits, and leaves no plain secret in its data directory', async () => {
  const home = await dataDirectory('secure')
  onTestFinished(() => home.remove())
  const config = join(home.path, 'secure.yaml')
  await writeFile(config, secure)
  await writeFile(join(home.path, 'key-2026'), `${randomBytes(32).toString('base64')}\n`)
  const dataDir = join(home.path, 'data')
  const cluster = await startProcess({ dataDir, config })
  onTestFinished(async () => void (await cluster.interrupt()))
  using api = await openApi(cluster.kubeconfig)
  const data = { key: Buffer.from('the-pass-phrase').toString('base64') }
  const made = await api.ok('POST', '/api/v1/namespaces/default/secrets', { body: { metadata: { name: 'kept' }, data } })
  const log = join(dataDir, 'audit', 'audit.log')
  const event = await eventually(async () => {
    const events = (await readFile(log, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const found = events.find(({ auditID }) => auditID === made.headers['audit-id'])
    expect(found).toBeDefined()
    return found
  })
  expect(event).toMatchObject({ level: 'Metadata', verb: 'create', objectRef: { resource: 'secrets', name: 'kept' } })
  const bytes = await bytesOf(dataDir)
  expect([bytes.includes(data.key), bytes.includes('the-pass-phrase'), bytes.includes('/registry/core/secrets/default/kept')]).toEqual([
    false,
    false,
    true,
  ])
  expect((await api.ok('GET', '/api/v1/namespaces/default/secrets/kept')).body.data).toEqual(data)
})
