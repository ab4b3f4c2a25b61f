import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Store, StoreCap, silentLog } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import storeSqlite, { SqliteStore, storeSqliteConfig } from '../src/index.ts'
import { temporaryDirectory } from './temporary-directory.ts'

describe('plugin store-sqlite', () => {
  it('provides a store in the data directory of the host until it is stopped', async () => {
    const path = temporaryDirectory()
    const provided = new Map<unknown, unknown>()
    const stops: (() => void | Promise<void>)[] = []
    const context = {
      config: {},
      use: { settings: { dataDir: path } },
      log: silentLog,
      provide: (capability: unknown, implementation: unknown) => provided.set(capability, implementation),
      onStop: (stop: () => Promise<void>) => stops.push(stop),
    } as unknown as Parameters<NonNullable<typeof storeSqlite.setup>>[0]
    await storeSqlite.setup?.(context)
    const store = provided.get(StoreCap) as Store
    expect(store.features).toEqual({ durable: true, soleWriter: true })
    await store.commit({ conditions: [], writes: [{ type: 'put', key: '/a', value: new Uint8Array(1) }] })
    for (const stop of stops) await stop()
    expect(() => store.head()).toThrowError(expect.objectContaining({ code: 'STORE_CLOSED' }))
    const again = await SqliteStore.open(join(path, 'store'))
    expect(await again.head()).toBe(2)
    await again.close()
  })

  it('refuses configuration that it does not know, with the path of each fault', () => {
    const { error } = storeSqliteConfig.safeParse({ path: '', maxBytes: 'much', extra: 1 })
    expect(error?.issues.map(({ path, code, ...issue }) => [code, path.join('.'), 'keys' in issue ? issue.keys : []])).toEqual([
      ['too_small', 'path', []],
      ['invalid_type', 'maxBytes', []],
      ['unrecognized_keys', '', ['extra']],
    ])
  })

  it('describes each field as its README does', () => {
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
    const { properties } = z.toJSONSchema(storeSqliteConfig) as { properties: Record<string, { description: string }> }
    for (const [name, { description }] of Object.entries(properties))
      expect(readme).toMatch(new RegExp(`\\| \`${name}\` \\|.*${description.slice(0, 30)}`))
  })

  it('does what the example in its README shows', async () => {
    const directory = temporaryDirectory()
    const store = await SqliteStore.open(join(directory, 'data'))
    await store.commit({
      conditions: [{ key: '/greeting', modRevision: 0 }],
      writes: [{ type: 'put', key: '/greeting', value: Buffer.from('hello') }],
    })
    await store.snapshot(join(directory, 'data.snapshot'))
    await store.close()
    await SqliteStore.restore(join(directory, 'data.snapshot'), join(directory, 'data-restored'))
    const restored = await SqliteStore.open(join(directory, 'data-restored'))
    expect(Buffer.from((await restored.get('/greeting')).entry?.value ?? []).toString()).toBe('hello')
    await restored.close()
  })
})
