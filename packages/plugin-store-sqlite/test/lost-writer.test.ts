import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { isStoreError, type StoreBatch } from '@continuo/core'
import { expect, it, onTestFinished } from 'vitest'
import { SqliteStore } from '../src/index.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A store, and the workers that it starts. */
async function openStore() {
  const workers: Worker[] = []
  const note = (worker: Worker): void => void workers.push(worker)
  process.on('worker', note)
  const losses: boolean[] = []
  const store = await SqliteStore.open(temporaryDirectory(), { onWriterLost: ({ replaced }) => losses.push(replaced) })
  onTestFinished(async () => {
    process.off('worker', note)
    await store.close()
  })
  return { store, workers, losses }
}

const put = (store: SqliteStore, key: string) => store.commit({ conditions: [], writes: [{ type: 'put', key, value: Buffer.from(key) }] })

async function putWhenPossible(store: SqliteStore, key: string): Promise<void> {
  await expect.poll(() => put(store, key).then(({ committed }) => committed, String), { timeout: 5_000 }).toBe(true)
}

it('replaces a writer that dies under writes: nothing acknowledged is lost, watchers see each revision once, reads go on', async () => {
  const { store, workers, losses } = await openStore()
  const seen: StoreBatch[] = []
  const stop = new AbortController()
  const watching = (async () => {
    for await (const batch of store.watch('/', { after: await store.head(), signal: stop.signal })) seen.push(batch)
  })()
  const acknowledged: string[] = []
  const unsure: string[] = []
  for (let round = 0; round < 5; round++) {
    const writes = Array.from({ length: 600 }, async (_, index) => {
      const key = `/${round}/${index}`
      try {
        await put(store, key)
        acknowledged.push(key)
      } catch (error) {
        if (isStoreError(error, 'STORE_OUTCOME_UNKNOWN')) unsure.push(key)
        else if (!isStoreError(error, 'STORE_UNAVAILABLE')) throw error
      }
    })
    const dies = once(workers.at(-1) as Worker, 'exit')
    void workers.at(-1)?.terminate()
    await Promise.all([...writes, dies])
    expect((await store.get('/none')).entry).toBeUndefined()
    await putWhenPossible(store, `/${round}/after`)
    acknowledged.push(`/${round}/after`)
  }
  expect(losses).toEqual([true, true, true, true, true])
  const stored = (await store.list('/')).entries.map(({ key }) => key)
  expect(stored).toEqual(expect.arrayContaining(acknowledged))
  expect(stored.filter((key) => !acknowledged.includes(key) && !unsure.includes(key))).toEqual([])
  await expect.poll(() => seen.at(-1)?.revision).toBe(await store.head())
  expect(seen.flatMap(({ events }) => events.map(({ key }) => key)).sort()).toEqual(stored.sort())
  const revisions = seen.map(({ revision }) => revision)
  expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
  stop.abort()
  await watching
})

it('gives up on writers that die one after another, and says so to writers, watchers and readers', async () => {
  const { store, workers, losses } = await openStore()
  for (let count = 1; count <= 4; count++) {
    await expect.poll(() => workers.length).toBe(count)
    void workers.at(-1)?.terminate()
    await expect.poll(() => losses.length).toBe(count)
  }
  expect(losses).toEqual([true, true, true, false])
  await expect(put(store, '/a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', hint: 'Restart the process.' })
  await expect(async () => store.head()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
})
