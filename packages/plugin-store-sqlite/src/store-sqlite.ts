import { definePlugin, StoreCap } from '@continuo/core'
import { z } from 'zod'
import { SqliteStore } from './sqlite-store.ts'

export const storeSqliteConfig = z.strictObject({
  path: z.string().min(1).describe('Directory of the data. It is made when it does not exist, and one process at a time may use it.'),
  maxBytes: z
    .int()
    .min(1 << 20)
    .optional()
    .describe('The database refuses writes that would make it larger than this many bytes. Unset: the disk decides.'),
})

/** Keeps the objects of the cluster in one SQLite file: the embedded default. */
export const storeSqlite = definePlugin({
  name: 'store-sqlite',
  api: '^1',
  config: storeSqliteConfig,
  provides: [StoreCap],
  async setup(ctx) {
    const { path, maxBytes } = ctx.config
    const store = await SqliteStore.open(path, { maxBytes })
    ctx.onStop(() => store.close())
    ctx.provide(StoreCap, store)
    ctx.log.info({ path, revision: await store.head() }, 'store opened')
  },
})
