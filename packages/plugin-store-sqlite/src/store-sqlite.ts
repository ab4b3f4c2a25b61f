import { join } from 'node:path'
import { definePlugin, HostSettingsCap, optional, StoreCap } from '@continuo/core'
import { z } from 'zod'
import { SqliteStore } from './sqlite-store.ts'

export const storeSqliteConfig = z.strictObject({
  path: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Directory of the data; default: `store` in the data directory. It is made when it does not exist, and one process at a time may use it.',
    ),
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
  requires: { settings: optional(HostSettingsCap) },
  provides: [StoreCap],
  async setup(ctx) {
    const { maxBytes } = ctx.config
    const path = ctx.config.path ?? join(ctx.use.settings?.dataDir ?? '.continuo', 'store')
    const store = await SqliteStore.open(path, {
      maxBytes,
      onWriterLost: ({ cause, replaced }) =>
        ctx.log.error(
          { path, error: cause instanceof Error ? cause.message : String(cause) },
          replaced ? 'the writer of the store stopped and is being replaced' : 'the writer of the store stopped: it takes no more writes',
        ),
    })
    ctx.onStop(() => store.close())
    ctx.provide(StoreCap, store)
    ctx.log.info({ path, revision: await store.head() }, 'store opened')
  },
})
