import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { runCluster } from '../../src/commands/run-cluster.ts'

it.each(['nonsense', '127.0.0.1', ':80', '127.0.0.1:99999'])('refuses to listen on %j before anything is opened', async (listen) => {
  const root = await mkdtemp(join(tmpdir(), 'run-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const running = runCluster({ dataDir: join(root, 'data'), listen, logLevel: 'silent' }, 'silent')
  await expect(running).rejects.toMatchObject({ code: 'API_LISTEN' })
  expect(await readdir(root)).toEqual([])
})
