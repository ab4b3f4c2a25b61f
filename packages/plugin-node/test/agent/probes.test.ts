import { afterEach, describe, expect, it } from 'vitest'
import { Bench, type BenchOptions, isReady, statusOf } from './bench.ts'

let bench: Bench
const start = async (options?: BenchOptions): Promise<Bench> => {
  bench = await Bench.start(options)
  return bench
}
afterEach(() => bench[Symbol.asyncDispose]())

const get = (path: string, more: object = {}) => ({ httpGet: { path, port: 80 }, ...more })

describe('a readiness probe', () => {
  it('makes the container ready and unready after as many results as its thresholds say', async () => {
    await start()
    bench.probes.answers.set('/ready', 'failure')
    const readinessProbe = get('/ready', { periodSeconds: 10, failureThreshold: 2, successThreshold: 3 })
    await bench.create('web', { containers: [{ name: 'main', image: 'app', readinessProbe }] })
    await bench.until('web', (pod) => pod.status?.phase === 'Running')
    await bench.clock.advance(25_000)
    expect(isReady(await bench.get('web'))).toBe(false)
    bench.probes.answers.set('/ready', 'success')
    await bench.clock.advance(20_000)
    expect(isReady(await bench.get('web'))).toBe(false)
    await bench.clock.advance(10_000)
    expect(isReady(await bench.get('web'))).toBe(true)
    bench.probes.answers.set('/ready', 'failure')
    await bench.clock.advance(10_000)
    expect(isReady(await bench.get('web'))).toBe(true)
    await bench.clock.advance(10_000)
    expect(isReady(await bench.get('web'))).toBe(false)
    expect(statusOf(await bench.get('web'))?.restartCount).toBe(0)
    expect(await bench.events('web')).toContain('Unhealthy: Readiness probe failed: HTTP probe said failure')
  })

  it('leaves everything as it is while it cannot tell', async () => {
    await start()
    const readinessProbe = get('/ready', { periodSeconds: 5, failureThreshold: 1 })
    await bench.create('web', { containers: [{ name: 'main', image: 'app', readinessProbe }] })
    await bench.running('web')
    bench.probes.answers.set('/ready', 'unknown')
    await bench.clock.advance(60_000)
    expect(isReady(await bench.get('web'))).toBe(true)
    bench.probes.answers.set('/ready', 'throws')
    await bench.clock.advance(60_000)
    expect(isReady(await bench.get('web'))).toBe(true)
  })

  it('counts as failed when its prober never answers, and is asked again', async () => {
    await start()
    const readinessProbe = get('/ready', { periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 1 })
    await bench.create('web', { containers: [{ name: 'main', image: 'app', readinessProbe }] })
    await bench.running('web')
    bench.probes.answers.set('/ready', 'hangs')
    await bench.until('web', (pod) => !isReady(pod))
    bench.probes.answers.set('/ready', 'success')
    await bench.running('web')
  })
})

describe('a liveness probe', () => {
  it('that fails for good restarts the container, with the grace period of the pod', async () => {
    await start({ programs: { app: { stopAfterMs: Number.POSITIVE_INFINITY } } })
    const livenessProbe = get('/live', { periodSeconds: 10, failureThreshold: 3 })
    await bench.create('web', { terminationGracePeriodSeconds: 7, containers: [{ name: 'main', image: 'app', livenessProbe }] })
    await bench.running('web')
    bench.probes.answers.set('/live', 'failure')
    const from = bench.clock.monotonic()
    const pod = await bench.until('web', (now) => statusOf(now)?.restartCount === 1)
    const ms = bench.clock.monotonic() - from
    expect(ms).toBeGreaterThanOrEqual(26_000)
    expect(ms).toBeLessThan(40_000)
    expect(statusOf(pod)?.lastState?.terminated?.exitCode).toBe(137)
    expect(await bench.events('web')).toContain('Killing: Container main failed liveness probe, will be restarted')
  })

  it('brings its own grace period', async () => {
    await start({ programs: { app: { stopAfterMs: Number.POSITIVE_INFINITY } } })
    bench.probes.answers.set('/live', 'failure')
    const livenessProbe = get('/live', { periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 1 })
    await bench.create('web', { terminationGracePeriodSeconds: 600, containers: [{ name: 'main', image: 'app', livenessProbe }] })
    await bench.until('web', (now) => (statusOf(now)?.restartCount ?? 0) >= 1)
    expect(bench.clock.monotonic()).toBeLessThan(10_000)
  })

  it('does not keep a pod from being deleted while its container is being killed', async () => {
    await start({ programs: { app: { stopAfterMs: Number.POSITIVE_INFINITY } } })
    bench.probes.answers.set('/live', 'failure')
    const livenessProbe = get('/live', { periodSeconds: 1, failureThreshold: 1 })
    await bench.create('web', { terminationGracePeriodSeconds: 3_000, containers: [{ name: 'main', image: 'app', livenessProbe }] })
    await bench.clock.advance(10_000)
    await bench.delete('web', 5)
    const from = bench.clock.monotonic()
    await bench.gone('web')
    expect(bench.clock.monotonic() - from).toBeLessThan(8_000)
  })

  it('is not asked any more once the pod is being deleted', async () => {
    await start({ programs: { app: { stopAfterMs: 60_000 } } })
    const livenessProbe = get('/live', { periodSeconds: 1 })
    await bench.create('web', { terminationGracePeriodSeconds: 100, containers: [{ name: 'main', image: 'app', livenessProbe }] })
    await bench.running('web')
    await bench.delete('web')
    await bench.clock.advance(1_000)
    const asked = bench.probes.asked.get('/live')
    await bench.clock.advance(30_000)
    expect(bench.probes.asked.get('/live')).toBe(asked)
  })
})

describe('a startup probe', () => {
  it('holds the other probes back until it has succeeded', async () => {
    await start()
    bench.probes.answers.set('/start', 'failure')
    bench.probes.answers.set('/live', 'failure')
    const probes = {
      startupProbe: get('/start', { periodSeconds: 10, failureThreshold: 30 }),
      livenessProbe: get('/live', { periodSeconds: 1, failureThreshold: 1 }),
    }
    await bench.create('web', { containers: [{ name: 'main', image: 'app', ...probes }] })
    await bench.until('web', (pod) => pod.status?.phase === 'Running')
    await bench.clock.advance(100_000)
    expect(statusOf(await bench.get('web'))).toMatchObject({ restartCount: 0, started: false, ready: false })
    expect(bench.probes.asked.get('/live')).toBeUndefined()
    bench.probes.answers.set('/live', 'success')
    bench.probes.answers.set('/start', 'success')
    await bench.running('web')
    await bench.clock.advance(2_000)
    expect(bench.probes.asked.get('/live')).toBeGreaterThan(0)
  })

  it('restarts a container that does not come up', async () => {
    await start()
    bench.probes.answers.set('/start', 'failure')
    const startupProbe = get('/start', { periodSeconds: 5, failureThreshold: 4 })
    await bench.create('web', { containers: [{ name: 'main', image: 'app', startupProbe }] })
    await bench.until('web', (pod) => statusOf(pod)?.restartCount === 1)
    expect(await bench.events('web')).toContain('Killing: Container main failed startup probe, will be restarted')
  })
})
