import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeSuite } from '@continuo/testkit'
import { SqliteStore } from '../src/index.ts'

storeSuite('sqlite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-sqlite-'))
  const store = await SqliteStore.open(directory)
  return {
    store,
    dispose: async () => {
      await store.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
})
