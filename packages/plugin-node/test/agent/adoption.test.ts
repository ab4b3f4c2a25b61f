import { keyOf } from '@continuo/core'
import { Pod } from '@continuo/workload'
import { afterEach, describe, expect, it } from 'vitest'
import { Bench, type BenchOptions, isReady, statusOf } from './bench.ts'

let bench: Bench
const start = async (options?: BenchOptions): Promise<Bench> => {
  bench = await Bench.start(options)
  return bench
}
afterEach(() => bench[Symbol.asyncDispose]())

const ids = async (): Promise<readonly string[]> =>
  (await bench.runtime.list())
    .flatMap((sandbox) => sandbox.containers.map((container) => `${container.id} ${container.state} ${container.startedAt}`))
    .sort()

describe('an agent that is started again', () => {
  it('takes over what runs and restarts nothing', async () => {
    await start()
    for (let index = 0; index < 12; index++)
      await bench.create(`web-${index}`, {
        initContainers: [{ name: 'side', image: 'side', restartPolicy: 'Always' }],
      })
    for (let index = 0; index < 12; index++) await bench.running(`web-${index}`)
    const before = await ids()
    expect(before).toHaveLength(24)
    for (let round = 0; round < 3; round++) {
      await bench.stopAgent()
      await bench.clock.advance(30_000)
      await bench.startAgent()
      await bench.clock.advance(30_000)
    }
    expect(await ids()).toEqual(before)
    for (let index = 0; index < 12; index++) expect(statusOf(await bench.get(`web-${index}`))?.restartCount).toBe(0)
  })

  it('leaves a ready pod ready while its probes begin again', async () => {
    await start()
    const probe = { httpGet: { path: '/ready', port: 80 }, initialDelaySeconds: 20, periodSeconds: 5 }
    await bench.create('web', { containers: [{ name: 'main', image: 'app', readinessProbe: probe, startupProbe: probe }] })
    await bench.running('web')
    await bench.stopAgent()
    const abort = new AbortController()
    const unready: string[] = []
    const watching = (async () => {
      for await (const event of await bench.client.for(Pod).watch({ signal: abort.signal }))
        if (event.type !== 'BOOKMARK' && !isReady(event.object)) unready.push(event.type)
    })()
    await bench.startAgent()
    await bench.clock.advance(60_000)
    abort.abort()
    await watching
    expect(unready).toEqual([])
  })

  it('reaps what was deleted by force while it was away', async () => {
    await start()
    await bench.create('web')
    await bench.create('kept')
    await bench.running('web')
    await bench.running('kept')
    await bench.stopAgent()
    await bench.delete('web', 0)
    await bench.startAgent()
    await bench.clock.advanceUntil(async () => (await bench.runtime.list()).length === 1)
    expect((await bench.runtime.list())[0]?.name).toBe('kept')
    expect(statusOf(await bench.running('kept'))?.restartCount).toBe(0)
  })

  it('goes on with a deletion that it had begun, within the grace period of then', async () => {
    await start({ programs: { app: { stopAfterMs: Number.POSITIVE_INFINITY } } })
    await bench.create('web', { terminationGracePeriodSeconds: 60 })
    await bench.running('web')
    await bench.delete('web')
    await bench.clock.advance(20_000)
    await bench.stopAgent()
    await bench.clock.advance(20_000)
    await bench.startAgent()
    const from = bench.clock.monotonic()
    await bench.gone('web')
    expect(bench.clock.monotonic() - from).toBeLessThan(23_000)
  })

  it('restarts what crashed meanwhile and tells how it ended', async () => {
    await start()
    const pod = await bench.create('web')
    await bench.running('web')
    await bench.stopAgent()
    bench.runtime.crash({ sandbox: pod.metadata.uid ?? '', name: 'main' }, 42)
    await bench.startAgent()
    const after = await bench.until('web', (now) => statusOf(now)?.restartCount === 1 && isReady(now))
    expect(statusOf(after)?.lastState?.terminated?.exitCode).toBe(42)
  })

  it('leaves pods alone that had come to their end, and what is known of them', async () => {
    await start({ programs: { job: { exitAfterMs: 1_000, exitCode: 7 } } })
    await bench.create('job', { restartPolicy: 'Never', containers: [{ name: 'main', image: 'job' }] })
    const done = await bench.until('job', (now) => now.status?.phase === 'Failed')
    await bench.stopAgent()
    bench.runtime.forget()
    await bench.startAgent()
    await bench.clock.advance(30_000)
    expect((await bench.get('job')).status).toEqual(done.status)
    expect(await bench.runtime.list()).toEqual([])
  })

  it('runs a pod again of which the runtime knows nothing any more, unless it may run only once', async () => {
    await start()
    await bench.create('web')
    await bench.create('once', { restartPolicy: 'Never' })
    await bench.running('web')
    await bench.running('once')
    await bench.stopAgent()
    bench.runtime.forget()
    await bench.startAgent()
    const web = await bench.until('web', (now) => statusOf(now)?.restartCount === 1 && isReady(now))
    expect(web.status?.phase).toBe('Running')
    const once = await bench.until('once', (now) => now.status?.phase === 'Failed')
    expect(statusOf(once)?.state?.terminated).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown' })
  })

  it('waits for a runtime that does not answer, and takes nothing for a stray meanwhile', async () => {
    await start()
    await bench.create('web')
    await bench.running('web')
    const before = await ids()
    await bench.stopAgent()
    bench.runtime.unavailable = 'the daemon is starting'
    await bench.startAgent()
    await bench.clock.advance(30_000)
    bench.runtime.unavailable = undefined
    await bench.clock.advance(30_000)
    expect(await ids()).toEqual(before)
    expect(statusOf(await bench.running('web'))?.restartCount).toBe(0)
  })
})

describe('while the API cannot be reached', () => {
  it('crashed containers are restarted, and the status follows later', async () => {
    await start()
    const pod = await bench.create('web')
    await bench.running('web')
    bench.fault = { fails: () => true }
    bench.runtime.crash({ sandbox: pod.metadata.uid ?? '', name: 'main' }, 1)
    await bench.clock.advanceUntil(async () => (await bench.attempts('web')).at(-1)?.attempt === 1)
    await bench.clock.advance(60_000)
    expect(statusOf(await bench.get('web'))?.restartCount).toBe(0)
    bench.fault = { fails: () => false }
    await bench.until('web', (now) => statusOf(now)?.restartCount === 1 && isReady(now))
  })

  it('nothing is asked in a hot loop', async () => {
    await start()
    let requests = 0
    bench.fault = {
      fails: () => {
        requests++
        return true
      },
    }
    await bench.create('web')
    await bench.clock.advance(60_000)
    expect(requests).toBeLessThan(120)
  })
})

describe('the status of a pod', () => {
  it('keeps conditions and fields that others wrote', async () => {
    await start()
    const pod = await bench.create('web', { readinessGates: [{ conditionType: 'example.com/gate' }] })
    await bench.until('web', (now) => now.status?.phase === 'Running')
    expect(isReady(await bench.get('web'))).toBe(false)
    const condition = { type: 'example.com/gate', status: 'True', reason: 'Because', message: 'by somebody else' }
    await bench.client
      .for(Pod)
      .subresource('status')
      .patch(keyOf(pod), { type: 'strategic', body: { status: { conditions: [condition] } } })
    await bench.running('web')
    bench.runtime.crash({ sandbox: pod.metadata.uid ?? '', name: 'main' }, 1)
    const after = await bench.until('web', (now) => statusOf(now)?.restartCount === 1)
    expect(after.status?.conditions?.find(({ type }) => type === 'example.com/gate')).toMatchObject(condition)
  })

  it('is put right when somebody else spoils it', async () => {
    await start()
    const pod = await bench.create('web')
    await bench.running('web')
    const spoiled = { conditions: [{ type: 'Ready', status: 'False', reason: 'NodeNotReady' }] }
    await bench.client
      .for(Pod)
      .subresource('status')
      .patch(keyOf(pod), { type: 'strategic', body: { status: spoiled } })
    await bench.running('web')
  })

  it('ends the containers when somebody else declares the pod failed', async () => {
    await start()
    const pod = await bench.create('web')
    await bench.running('web')
    await bench.client
      .for(Pod)
      .subresource('status')
      .patch(keyOf(pod), { type: 'merge', body: { status: { phase: 'Failed', reason: 'Evicted' } } })
    await bench.clock.advanceUntil(async () => (await bench.attempts('web')).every(({ state }) => state === 'exited'))
    await bench.clock.advance(30_000)
    expect(await bench.attempts('web')).toHaveLength(1)
    expect((await bench.get('web')).status).toMatchObject({ phase: 'Failed', reason: 'Evicted' })
  })
})
