import { createHost, createMemoryStore, definePlugin, ObjectClientCap, objectsPlugin, StoreCap } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { brokenClients, clientChecks, gaugeResource, type OpenedClient, objectClientSuite, runClientCheck } from '../../src/index.ts'

async function openLocal(): Promise<OpenedClient> {
  const store = createMemoryStore()
  const host = createHost({
    name: 'suite',
    role: 'control-plane',
    plugins: [
      {
        slot: 'store',
        plugin: definePlugin({ name: 'memory', api: '^1', provides: [StoreCap], setup: (ctx) => ctx.provide(StoreCap, store) }),
      },
      { slot: 'objects', plugin: objectsPlugin },
      { slot: 'suite', plugin: definePlugin({ name: 'suite', api: '^1', kinds: [gaugeResource] }) },
    ],
  })
  await host.start()
  return { client: host.use(ObjectClientCap), compact: async () => store.compact(await store.head()), dispose: () => host.stop() }
}

objectClientSuite('local', openLocal)

describe('the suite notices a client that', () => {
  for (const { fault, caughtBy, breaks } of brokenClients) {
    it(fault, async () => {
      const check = clientChecks.find(({ name }) => name === caughtBy)
      if (check === undefined) throw new TypeError(`no check is called ${caughtBy}`)
      const opened = await openLocal()
      try {
        const broken = { ...opened, client: breaks(opened.client) }
        await expect(runClientCheck(check, broken, 'broken')).rejects.toThrow()
      } finally {
        await opened.dispose()
      }
    })
  }
})
