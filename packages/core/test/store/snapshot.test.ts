import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { readSnapshot, writeSnapshot } from '../../src/store/snapshot.ts'
import type { Store } from '../../src/store/store.ts'

async function filled(count: number): Promise<Store> {
  const store = createMemoryStore()
  for (let i = 0; i < count; i++)
    await store.commit({ conditions: [], writes: [{ type: 'put', key: `/é/${i}`, value: Uint8Array.of(i % 256, 10, 255) }] })
  return store
}

async function textOf(store: Store): Promise<string> {
  let text = ''
  for await (const lines of writeSnapshot(store, { base: 7 })) text += lines
  return text
}

/** In chunks that end anywhere, also within a character. */
async function* chunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

async function read(source: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const parts: unknown[] = []
  for await (const part of readSnapshot(source)) parts.push(part)
  return parts
}

describe('snapshot', () => {
  it('reads back what was written, however it is cut into chunks', async () => {
    const store = await filled(450)
    const text = await textOf(store)
    const { entries, revision } = await store.list('')
    for (const size of [17, 64_000]) expect(await read(chunks(text, size))).toEqual([{ revision, base: 7 }, ...entries])
  })

  it('shows one revision while the store goes on', async () => {
    const store = await filled(450)
    const { entries, revision } = await store.list('')
    let text = ''
    for await (const lines of writeSnapshot(store)) {
      text += lines
      await store.commit({ conditions: [], writes: [{ type: 'put', key: '/é/449', value: new Uint8Array(0) }] })
    }
    expect(await read(chunks(text, 1_000))).toEqual([{ revision, base: 0 }, ...entries])
  })

  it('is read to the end only when it is whole', async () => {
    const text = await textOf(await filled(30))
    for (const cut of [0, 1, 60, 500, text.length - 2]) {
      await expect(read(chunks(text.slice(0, cut), 100)), `cut at ${cut}`).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    }
    await expect(read(chunks(text.replace('"/é/3"', '"/é/4"'), 100))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(read(chunks(text + text, 100))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(read(chunks('{"hello":1}\n', 100))).rejects.toMatchObject({ code: 'STORE_FORMAT' })
  })
})
