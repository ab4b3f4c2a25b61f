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

const stubborn = { stopAfterMs: Number.POSITIVE_INFINITY }
const graceful = { stopAfterMs: 5_000 }

/** Virtual milliseconds that something takes. */
async function taken(work: () => Promise<unknown>): Promise<number> {
  const from = bench.clock.monotonic()
  await work()
  return bench.clock.monotonic() - from
}

describe('a pod that is deleted', () => {
  it('gets the time it needs to end, and nothing of it is left when it is gone', async () => {
    await start({ programs: { app: graceful } })
    await bench.create('web')
    await bench.running('web')
    await bench.delete('web')
    expect(await taken(() => bench.gone('web'))).toBeLessThan(7_000)
    expect(await bench.runtime.list()).toEqual([])
  })

  it('is killed when its grace period is over', async () => {
    await start({ programs: { app: stubborn } })
    await bench.create('web', { terminationGracePeriodSeconds: 20 })
    await bench.running('web')
    await bench.delete('web')
    const ms = await taken(() => bench.gone('web'))
    expect(ms).toBeGreaterThanOrEqual(20_000)
    expect(ms).toBeLessThan(22_000)
  })

  it('ends sooner when a second deletion shortens the grace period', async () => {
    await start({ programs: { app: stubborn } })
    await bench.create('web', { terminationGracePeriodSeconds: 300 })
    await bench.running('web')
    await bench.delete('web')
    await bench.clock.advance(10_000)
    await bench.delete('web', 15)
    expect(await taken(() => bench.gone('web'))).toBeLessThan(7_000)
  })

  it('by force leaves no sandbox behind', async () => {
    await start({ programs: { app: stubborn } })
    await bench.create('web')
    await bench.running('web')
    await bench.delete('web', 0)
    expect(await bench.exists('web')).toBe(false)
    expect(await taken(() => bench.clock.advanceUntil(async () => (await bench.runtime.list()).length === 0))).toBeLessThan(3_000)
  })

  it('by force makes way for another pod of its name', async () => {
    await start({ programs: { app: stubborn } })
    const first = await bench.create('web')
    await bench.running('web')
    await bench.delete('web', 0)
    const second = await bench.create('web')
    await bench.running('web')
    await bench.clock.advanceUntil(async () => (await bench.runtime.list()).length === 1)
    expect((await bench.runtime.list())[0]?.uid).toBe(second.metadata.uid)
    expect(second.metadata.uid).not.toBe(first.metadata.uid)
  })

  it('shows how it ended for as long as a finalizer keeps it', async () => {
    await start()
    await bench.create('web', {}, { finalizers: ['example.com/keep'] })
    await bench.running('web')
    await bench.delete('web')
    const kept = await bench.until('web', (pod) => pod.status?.phase === 'Succeeded')
    expect(statusOf(kept)?.state?.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' })
    expect(isReady(kept)).toBe(false)
    await bench.clock.advance(30_000)
    expect(statusOf(await bench.get('web'))?.state?.terminated?.exitCode).toBe(0)
    await bench.client.for(Pod).patch(keyOf(kept), { type: 'merge', body: { metadata: { finalizers: null } } })
    await bench.gone('web')
  })

  it('is removed although removing it failed at first, and its last status stands', async () => {
    await start()
    await bench.create('web', {}, { finalizers: ['example.com/keep'] })
    await bench.running('web')
    bench.fault = { fails: ({ verb }) => verb === 'delete' }
    await bench.delete('web')
    await bench.clock.advance(20_000)
    expect(await bench.runtime.list()).toEqual([])
    expect(statusOf(await bench.get('web'))?.state?.terminated?.exitCode).toBe(0)
    bench.fault = { fails: () => false }
    await bench.clock.advance(5_000)
    expect((await bench.get('web')).metadata.deletionGracePeriodSeconds).toBe(0)
  })

  it('does not wait for a restart, a pull or a hook that is under way', async () => {
    await start({ pullMs: 3_600_000 })
    await bench.create('web')
    await bench.clock.advance(5_000)
    await bench.delete('web')
    expect(await taken(() => bench.gone('web'))).toBeLessThan(3_000)
  })

  it('stops its sidecars after its other containers, in reverse order of their start', async () => {
    await start({ programs: { app: graceful, side: { stopAfterMs: 1_000 } } })
    const pod = await bench.create(
      'web',
      {
        initContainers: [
          { name: 'first', image: 'side', restartPolicy: 'Always' },
          { name: 'second', image: 'side', restartPolicy: 'Always' },
        ],
      },
      { finalizers: ['example.com/keep'] },
    )
    await bench.running('web')
    await bench.delete('web')
    const kept = await bench.until('web', (now) => statusOf(now, 'first')?.state?.terminated !== undefined)
    const at = (name: string) => Date.parse(statusOf(kept, name)?.state?.terminated?.finishedAt ?? '')
    expect([at('second') - at('main'), at('first') - at('second')]).toEqual([1_000, 1_000])
    await bench.client.for(Pod).patch(keyOf(pod), { type: 'merge', body: { metadata: { finalizers: null } } })
  })
})

describe('lifecycle hooks', () => {
  const hooked = (calls: string[][], afterMs = 0) => ({
    ...stubborn,
    exec: (command: readonly string[]) => {
      calls.push([...command])
      return { exitCode: 0, afterMs }
    },
  })

  it('preStop runs before the stop signal and takes part of the grace period', async () => {
    const calls: string[][] = []
    await start({ programs: { app: hooked(calls, 4_000) } })
    await bench.create('web', {
      terminationGracePeriodSeconds: 10,
      containers: [{ name: 'main', image: 'app', lifecycle: { preStop: { exec: { command: ['drain'] } } } }],
    })
    await bench.running('web')
    await bench.delete('web')
    const ms = await taken(() => bench.gone('web'))
    expect(calls).toEqual([['drain']])
    expect(ms).toBeGreaterThanOrEqual(10_000)
    expect(ms).toBeLessThan(12_000)
  })

  it('preStop that never ends is cut off, and the container still gets two seconds', async () => {
    const calls: string[][] = []
    await start({ programs: { app: hooked(calls, Number.POSITIVE_INFINITY) } })
    await bench.create('web', {
      terminationGracePeriodSeconds: 10,
      containers: [{ name: 'main', image: 'app', lifecycle: { preStop: { exec: { command: ['drain'] } } } }],
    })
    await bench.running('web')
    await bench.delete('web')
    const ms = await taken(() => bench.gone('web'))
    expect(ms).toBeGreaterThanOrEqual(12_000)
    expect(ms).toBeLessThan(14_000)
    expect((await bench.events('web')).some((event) => event.startsWith('FailedPreStopHook: '))).toBe(true)
  })

  it('preStop runs once although the grace period is shortened meanwhile', async () => {
    const calls: string[][] = []
    await start({ programs: { app: hooked(calls) } })
    await bench.create('web', {
      terminationGracePeriodSeconds: 100,
      containers: [{ name: 'main', image: 'app', lifecycle: { preStop: { exec: { command: ['drain'] } } } }],
    })
    await bench.running('web')
    await bench.delete('web')
    await bench.clock.advance(5_000)
    await bench.delete('web', 10)
    await bench.gone('web')
    expect(calls).toEqual([['drain']])
  })

  it('postStart that fails ends the container, which is started again', async () => {
    let failures = 1
    await start({ programs: { app: { exec: () => ({ exitCode: failures-- > 0 ? 1 : 0 }) } } })
    await bench.create('web', {
      containers: [{ name: 'main', image: 'app', lifecycle: { postStart: { exec: { command: ['warm', 'up'] } } } }],
    })
    const pod = await bench.running('web')
    expect(statusOf(pod)?.restartCount).toBe(1)
    expect((await bench.events('web')).filter((event) => event.startsWith('FailedPostStartHook'))[0]).toContain("'warm up' exited with 1")
  })
})
