import { type StoreBatch, StoreError } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { CommitQueue } from '../src/commit-queue.ts'
import type { CommitRequest } from '../src/protocol.ts'

const put = (key: string) => ({ conditions: [], writes: [{ type: 'put' as const, key, value: Uint8Array.of(1, 2, 3) }] })

function queued() {
  const sent: CommitRequest[] = []
  const batches: StoreBatch[] = []
  const queue = new CommitQueue(
    (request) => sent.push(request),
    (batch) => batches.push(batch),
  )
  return { queue, sent, batches }
}

const tick = () => new Promise((resolve) => setImmediate(resolve))
const code = (error: { code: string }) => error.code

describe('CommitQueue', () => {
  it('sends what comes together as one group, and at most two groups before an answer', async () => {
    const { queue, sent } = queued()
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 10; i++) void queue.add(put(`/${round}/${i}`), 10)
      await tick()
    }
    expect(sent.map(({ ops }) => ops.length)).toEqual([40, 40])
    const answers = Array.from({ length: 10 }, (_, i) => [1, i + 2, i + 2, 0, 0, 0]).flat()
    queue.settle({ type: 'committed', answers, values: new Uint8Array(0) })
    expect(sent.map(({ ops }) => ops.length)).toEqual([40, 40, 80])
  })

  it('announces the events of a commit before it acknowledges it', async () => {
    const { queue, batches } = queued()
    const seen = queue.add(put('/a'), 10).then((result) => ({ result, batches: batches.length }))
    await tick()
    queue.settle({ type: 'committed', answers: [1, 2, 2, 0, 0, 0], values: new Uint8Array(0) })
    expect(await seen).toEqual({ result: { committed: true, revision: 2 }, batches: 1 })
    expect(batches).toEqual([{ revision: 2, events: [{ type: 'put', key: '/a', value: Uint8Array.of(1, 2, 3), createRevision: 2 }] }])
  })

  it('tells those in flight that the outcome is unknown when the worker dies, and the others that nothing was written', async () => {
    const { queue } = queued()
    const outcomes: Promise<string | undefined>[] = []
    for (let round = 0; round < 3; round++) {
      outcomes.push(queue.add(put(`/${round}`), 10).then(() => undefined, code))
      await tick()
    }
    queue.abandon(new StoreError('STORE_OUTCOME_UNKNOWN', 'died'), new StoreError('STORE_UNAVAILABLE', 'died'))
    expect(await Promise.all(outcomes)).toEqual(['STORE_OUTCOME_UNKNOWN', 'STORE_OUTCOME_UNKNOWN', 'STORE_UNAVAILABLE'])
    expect(queue.idle).toBe(true)
  })

  it('rejects a whole group that failed and goes on with the next', async () => {
    const { queue, sent } = queued()
    const outcomes = ['/a', '/b'].map((key) => queue.add(put(key), 10).then(() => undefined, code))
    await tick()
    queue.fail(new StoreError('STORE_UNAVAILABLE', 'full'))
    expect(await Promise.all(outcomes)).toEqual(['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'])
    void queue.add(put('/c'), 10)
    await tick()
    expect(sent).toHaveLength(2)
  })

  it('refuses what exceeds the bound on waiting commits', async () => {
    const { queue } = queued()
    const outcomes = Array.from({ length: 20_001 }, (_, i) => queue.add(put(`/${i}`), 10).then(() => undefined, code))
    expect(await outcomes.at(-1)).toBe('STORE_UNAVAILABLE')
    const large = queued().queue
    void large.add(put('/a'), 100 << 20)
    expect(await large.add(put('/b'), 100 << 20).then(() => undefined, code)).toBe('STORE_UNAVAILABLE')
  })
})
