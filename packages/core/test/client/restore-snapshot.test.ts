import {
  createMemoryStore,
  MemoryStore,
  readVersionBase,
  refuseUnfinishedRestore,
  restoreGap,
  restoreSnapshot,
  type Store,
  StoreError,
  type StoreTransaction,
  systemClock,
  writeSnapshot,
} from '@continuo/core'
import { describe, expect, it } from 'vitest'

const put = (store: Store, key: string, value: string) =>
  store.commit({ conditions: [], writes: [{ type: 'put', key, value: Buffer.from(value) }] })
const shown = async (store: Store): Promise<readonly string[]> =>
  (await store.list('/registry/')).entries.map(({ key, value }) => `${key}=${Buffer.from(value)}`)

async function snapshotOf(store: Store): Promise<string> {
  let text = ''
  for await (const part of writeSnapshot(store, { base: await readVersionBase(store) })) text += part
  return text
}

async function filled(count = 250): Promise<Store> {
  const store = createMemoryStore()
  for (let i = 0; i < count; i++) await put(store, `/registry/${i}`, `value ${i}`)
  await put(store, '/registry/0', 'changed')
  return store
}

const from = (text: string) =>
  async function* () {
    yield text
  }
const restore = (store: Store, text: string, replace = false) => restoreSnapshot(store, from(text), { clock: systemClock, replace })

/** A store that loses its connection after so many commits, for good or for once. */
class Failing extends MemoryStore {
  commits = 0
  failures: { readonly at: number; readonly applied: boolean }[] = []

  override async commit(transaction: StoreTransaction) {
    const failure = this.failures.find(({ at }) => at === this.commits)
    this.commits++
    if (failure === undefined) return super.commit(transaction)
    if (failure.applied) await super.commit(transaction)
    throw new StoreError(failure.applied ? 'STORE_OUTCOME_UNKNOWN' : 'STORE_TOO_LARGE', 'lost')
  }
}

describe('restoreSnapshot', () => {
  it('fills an empty store with the same bytes, and raises the base above all that was given out', async () => {
    const old = await filled()
    const store = createMemoryStore()
    const { entries, base } = await restore(store, await snapshotOf(old))
    expect(entries).toBe(250)
    expect(await shown(store)).toEqual(await shown(old))
    expect(base).toBe((await old.head()) + restoreGap)
    expect(await readVersionBase(store)).toBe(base)
    await expect(refuseUnfinishedRestore(store)).resolves.toBeUndefined()
  })

  it('raises the base each time that a cluster moves on', async () => {
    let store = await filled(5)
    let newest = await store.head()
    for (let i = 0; i < 4; i++) {
      const next = createMemoryStore()
      const { base } = await restore(next, await snapshotOf(store))
      expect(base).toBeGreaterThan(newest)
      newest = base + (await next.head())
      store = next
    }
    expect(await shown(store)).toEqual(await shown(await filled(5)))
  })

  it('refuses a store that holds something, unless it is told to give that up', async () => {
    const text = await snapshotOf(await filled(3))
    const store = createMemoryStore()
    for (let i = 0; i < 400; i++) await put(store, `/registry/old-${i}`, 'x')
    await expect(restore(store, text)).rejects.toMatchObject({ code: 'STORE_NOT_EMPTY', hint: expect.stringContaining('--replace') })
    expect((await store.list('')).count).toBe(400)
    const { base } = await restore(store, text, true)
    expect(await shown(store)).toEqual(['/registry/0=changed', '/registry/1=value 1', '/registry/2=value 2'])
    expect(base).toBeGreaterThan(400 + restoreGap)
  })

  it('writes nothing of a snapshot that is cut off, changed, or of another format', async () => {
    const text = await snapshotOf(await filled(300))
    const lines = text.trimEnd().split('\n')
    const damaged: [string, string][] = [
      ['STORE_CORRUPT', text.slice(0, -100)],
      ['STORE_CORRUPT', lines.slice(0, 200).join('\n')],
      ['STORE_CORRUPT', text.replace('"/registry/7"', '"/registry/X"')],
      ['STORE_CORRUPT', ''],
      ['STORE_CORRUPT', `${lines[0]}\n${'x'.repeat(17 << 20)}`],
      ['STORE_FORMAT', text.replace('"version":1', '"version":9')],
      ['STORE_FORMAT', '{"kind":"List"}\n'],
    ]
    for (const [code, content] of damaged) {
      const store = createMemoryStore()
      await expect(restore(store, content)).rejects.toMatchObject({ code })
      expect((await store.list('')).count).toBe(0)
    }
  })

  it('writes nothing when the store takes no value as large as one of the snapshot', async () => {
    const old = await filled(3)
    await put(old, '/registry/large', 'x'.repeat(2_000))
    const store = new MemoryStore({ limits: { maxBytes: 2_000 } })
    await expect(restore(store, await snapshotOf(old))).rejects.toMatchObject({ code: 'STORE_TOO_LARGE' })
    expect((await store.list('')).count).toBe(0)
  })

  it('leaves a store that refuses to serve when it is interrupted, and fills it when it is run again', async () => {
    const old = await filled()
    const text = await snapshotOf(old)
    const store = new Failing()
    store.failures = [{ at: 2, applied: false }]
    await expect(restore(store, text)).rejects.toMatchObject({ message: 'lost' })
    await expect(refuseUnfinishedRestore(store)).rejects.toMatchObject({ code: 'STORE_RESTORING' })
    await restore(store, text)
    expect(await shown(store)).toEqual(await shown(old))
    await expect(refuseUnfinishedRestore(store)).resolves.toBeUndefined()
  })

  it('goes on after commits of which nobody knows whether they happened, also the last one', async () => {
    const old = await filled()
    for (const at of [1, 2, 3, 4]) {
      const store = new Failing()
      store.failures = [{ at, applied: true }]
      await restore(store, await snapshotOf(old))
      expect(store.commits).toBe(6)
      expect(await shown(store)).toEqual(await shown(old))
      await expect(refuseUnfinishedRestore(store)).resolves.toBeUndefined()
    }
  })

  it('gives way to another restore that begins after it', async () => {
    const text = await snapshotOf(await filled())
    const store = createMemoryStore()
    let reads = 0
    const overtaken = restoreSnapshot(
      store,
      async function* () {
        if (++reads === 2) await restore(store, text)
        yield text
      },
      { clock: systemClock },
    )
    await expect(overtaken).rejects.toMatchObject({ code: 'STORE_RESTORING' })
    expect((await store.list('/registry/')).count).toBe(250)
  })

  it('stops when it is told to', async () => {
    const store = createMemoryStore()
    const text = await snapshotOf(await filled())
    await expect(restoreSnapshot(store, from(text), { clock: systemClock, signal: AbortSignal.abort() })).rejects.toThrow()
    await expect(refuseUnfinishedRestore(store)).rejects.toMatchObject({ code: 'STORE_RESTORING' })
  })
})
