import { createMemoryStore } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { brokenStores, runStoreCheck, storeChecks, storeSuite } from '../../src/store-suite/index.ts'

storeSuite('memory', async () => ({ store: createMemoryStore(), dispose: async () => {} }))

describe('store suite: broken stores', () => {
  it.each(brokenStores.map((broken) => [broken.fault, broken] as const))('notices a store that %s', async (_, { caughtBy, open }) => {
    const check = storeChecks.find(({ name }) => name === caughtBy)
    expect(check, caughtBy).toBeDefined()
    await expect(runStoreCheck(check!, async () => ({ store: open(), dispose: async () => {} }))).rejects.toThrow()
  })
})
