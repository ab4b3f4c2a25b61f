import { describe, expect, it } from 'vitest'
import { BatchAssembler } from '../src/batch-assembler.ts'
import type { WatchEvent } from '../src/etcd-protocol.ts'
import { KeySpace } from '../src/key-space.ts'

const keys = new KeySpace('test:')
const noValue = new Uint8Array(0)

const entry = (key: string, modRevision: number, version = 1, createRevision = modRevision) => ({
  key: keys.toEtcd(key),
  value: Buffer.from(`${key} ${modRevision}`),
  createRevision,
  modRevision,
  version,
})
const put = (key: string, revision: number): WatchEvent => ({ type: 'PUT', kv: entry(key, revision), prevKv: null })
const update = (key: string, revision: number, before: number): WatchEvent => ({
  type: 'PUT',
  kv: entry(key, revision, 2, before),
  prevKv: entry(key, before),
})
const deletion = (key: string, revision: number, before: number): WatchEvent => ({
  type: 'DELETE',
  kv: { key: keys.toEtcd(key), value: noValue, createRevision: 0, modRevision: revision, version: 0 },
  prevKv: entry(key, before),
})
const response = (events: readonly WatchEvent[], { fragment = false, revision = events.at(-1)?.kv.modRevision ?? 0 } = {}) => ({
  events,
  fragment,
  header: { revision },
})
const shown = (batches: ReturnType<BatchAssembler['take']>) =>
  batches.map(({ revision, events }) => `${revision}: ${events.map(({ type, key }) => `${type} ${key}`).join(', ')}`)

describe('BatchAssembler', () => {
  it('splits a response into whole revisions', () => {
    const assembler = new BatchAssembler(keys, 1)
    const events = [put('/a', 2), put('/b', 2), update('/a', 3, 2), deletion('/b', 5, 2)]
    expect(shown(assembler.take(response(events)))).toEqual(['2: put /a, put /b', '3: put /a', '5: delete /b'])
  })

  it('holds a revision back until the fragment in which it ends, wherever fragments are cut', () => {
    const events = [put('/a', 2), put('/b', 2), put('/c', 3), put('/d', 4), put('/e', 4), put('/f', 4)]
    for (let first = 1; first < events.length; first++) {
      for (let second = first; second < events.length; second++) {
        const assembler = new BatchAssembler(keys, 1)
        const parts = [events.slice(0, first), events.slice(first, second), events.slice(second)]
        const batches = parts.flatMap((part, index) => assembler.take(response(part, { fragment: index < 2, revision: 4 })))
        expect(shown(batches)).toEqual(['2: put /a, put /b', '3: put /c', '4: put /d, put /e, put /f'])
      }
    }
  })

  it('passes over what was seen: the revision it begins behind, and what etcd repeats', () => {
    const assembler = new BatchAssembler(keys, 3)
    expect(shown(assembler.take(response([put('/a', 2), put('/b', 3), put('/c', 4)])))).toEqual(['4: put /c'])
    expect(shown(assembler.take(response([put('/c', 4), put('/d', 5)])))).toEqual(['5: put /d'])
  })

  it('tells progress, but never backwards', () => {
    const assembler = new BatchAssembler(keys, 3)
    expect(assembler.take(response([], { revision: 9 }))).toEqual([{ revision: 9, events: [] }])
    expect(assembler.take(response([], { revision: 9 }))).toEqual([])
    expect(assembler.take(response([], { revision: 4 }))).toEqual([])
  })

  it('gives a deletion the creation revision and the value of what was deleted', () => {
    const [batch] = new BatchAssembler(keys, 1).take(response([deletion('/a', 5, 2)]))
    const previous = { key: '/a', value: Buffer.from('/a 2'), createRevision: 2, modRevision: 2 }
    expect(batch?.events).toEqual([{ type: 'delete', key: '/a', value: noValue, createRevision: 2, previous }])
  })

  it('says that history is compacted instead of showing a change without what was before', () => {
    for (const event of [update('/a', 5, 2), deletion('/a', 5, 2)]) {
      const assembler = new BatchAssembler(keys, 1)
      expect(() => assembler.take(response([{ ...event, prevKv: null }]))).toThrow(expect.objectContaining({ code: 'STORE_COMPACTED' }))
    }
  })
})
