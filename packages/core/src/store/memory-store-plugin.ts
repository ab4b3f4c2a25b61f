import { definePlugin } from '../plugin/plugin.ts'
import { createMemoryStore } from './memory-store.ts'
import { StoreCap } from './store.ts'

/** Keeps everything in this process and forgets it with it: for tests, simulations and programs that need no durability. */
export const memoryStore = definePlugin({
  name: 'store-memory',
  api: '^1',
  provides: [StoreCap],
  setup(ctx) {
    const store = createMemoryStore()
    ctx.onStop(() => store.close())
    ctx.provide(StoreCap, store)
  },
})
