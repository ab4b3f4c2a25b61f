import { keyOf } from '@continuo/core'
import { ConfigMap, Pod, Secret } from '@continuo/workload'
import { afterEach, describe, expect, it } from 'vitest'
import { Bench, type BenchOptions, isReady, statusOf } from './bench.ts'

let bench: Bench
const start = async (options?: BenchOptions): Promise<Bench> => {
  bench = await Bench.start(options)
  return bench
}
afterEach(() => bench[Symbol.asyncDispose]())

const crashing = { exitAfterMs: 1_000, exitCode: 3 }

describe('a pod that is bound to the node', () => {
  it('runs, gets an address and becomes ready', async () => {
    await start()
    await bench.create('web')
    const { status } = await bench.running('web')
    expect(status).toMatchObject({ phase: 'Running', hostIP: '192.0.2.1', podIP: '10.244.0.2', podIPs: [{ ip: '10.244.0.2' }] })
    expect(status?.containerStatuses?.[0]).toMatchObject({ restartCount: 0, ready: true, started: true, image: 'app' })
    expect(await bench.events('web')).toEqual([
      'Pulling: Pulling image "app"',
      'Pulled: Successfully pulled image "app"',
      'Created: Created container: main',
      'Started: Started container main',
    ])
  })

  it('uses the address of the node on its network', async () => {
    await start()
    await bench.create('web', { hostNetwork: true })
    expect((await bench.running('web')).status).toMatchObject({ podIP: '192.0.2.1', podIPs: [{ ip: '192.0.2.1' }] })
  })

  it('runs init containers in order, sidecars beside them, and main containers last', async () => {
    await start({ programs: { init: { exitAfterMs: 5_000 } } })
    const pod = await bench.create('web', {
      initContainers: [
        { name: 'first', image: 'init' },
        { name: 'side', image: 'app', restartPolicy: 'Always' },
        { name: 'second', image: 'init' },
      ],
    })
    expect(pod.status?.phase).toBe('Pending')
    const initializing = await bench.until('web', (now) => statusOf(now, 'second')?.state?.running !== undefined)
    expect(initializing.status?.phase).toBe('Pending')
    expect(statusOf(initializing)?.state?.waiting?.reason).toBe('PodInitializing')
    const up = await bench.running('web')
    const at = (name: string) =>
      Date.parse(statusOf(up, name)?.state?.terminated?.startedAt ?? statusOf(up, name)?.state?.running?.startedAt ?? '')
    expect([at('first'), at('side'), at('second'), at('main')].map((time) => time - at('first'))).toEqual([0, 5_000, 5_000, 10_000])
  })

  it('runs ephemeral containers that come later, even while it is not initialised', async () => {
    await start()
    await bench.create('web', { initContainers: [{ name: 'init', image: 'forever' }] })
    await bench.until('web', (pod) => statusOf(pod, 'init')?.state?.running !== undefined)
    const pod = await bench.get('web')
    await bench.client
      .for(Pod)
      .subresource<typeof pod>('ephemeralcontainers')
      .update(keyOf(pod), { ...pod, spec: { ...pod.spec!, ephemeralContainers: [{ name: 'debug', image: 'tools' }] } })
    await bench.until('web', (now) => statusOf(now, 'debug')?.state?.running !== undefined)
    bench.runtime.crash({ sandbox: pod.metadata.uid ?? '', name: 'debug' }, 1)
    await bench.until('web', (now) => statusOf(now, 'debug')?.state?.terminated?.exitCode === 1)
    await bench.clock.advance(60_000)
    expect(await bench.attempts('web', 'debug')).toHaveLength(1)
  })

  it('replaces a container whose image is changed', async () => {
    await start()
    const pod = await bench.create('web')
    await bench.running('web')
    await bench.client.for(Pod).patch(keyOf(pod), { type: 'strategic', body: { spec: { containers: [{ name: 'main', image: 'app:2' }] } } })
    const after = await bench.until('web', (now) => statusOf(now)?.image === 'app:2' && isReady(now))
    expect(statusOf(after)?.restartCount).toBe(1)
    expect(await bench.events('web')).toContain('Killing: Container main definition changed, will be restarted')
  })

  it('gets a new sandbox when its own breaks, and goes on counting restarts', async () => {
    await start()
    const pod = await bench.create('web')
    await bench.running('web')
    bench.runtime.breakSandbox(pod.metadata.uid ?? '')
    const after = await bench.until('web', (now) => statusOf(now)?.restartCount === 1 && isReady(now))
    expect(after.status?.phase).toBe('Running')
    expect(await bench.events('web')).toContain('SandboxChanged: Pod sandbox changed, it will be killed and re-created.')
  })
})

describe('a container that ends', () => {
  it('is restarted at once, then after 10 s doubling to 5 min, and at once again after it ran for long', async () => {
    await start({ programs: { app: crashing } })
    await bench.create('web')
    const waits: number[] = []
    for (let attempt = 1; attempt <= 8; attempt++) {
      await bench.clock.advanceUntil(async () => (await bench.attempts('web')).at(-1)?.attempt === attempt, 400_000)
      const [before, now] = (await bench.attempts('web')).slice(-2)
      waits.push(((now?.startedAt ?? 0) - (before?.finishedAt ?? 0)) / 1_000)
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300])
    expect((await bench.attempts('web')).map(({ attempt }) => attempt)).toEqual([7, 8])
  })

  it('is restarted at once when it had run for longer than ten minutes', async () => {
    await start({ programs: { app: { exitAfterMs: 700_000, exitCode: 1 } } })
    await bench.create('web')
    await bench.clock.advanceUntil(async () => (await bench.attempts('web')).at(-1)?.attempt === 3, 3_600_000)
    const [before, now] = (await bench.attempts('web')).slice(-2)
    expect((now?.startedAt ?? 0) - (before?.finishedAt ?? 0)).toBe(0)
  })

  it('shows CrashLoopBackOff with its last end meanwhile', async () => {
    await start({ programs: { app: crashing } })
    await bench.create('web')
    const pod = await bench.until('web', (now) => statusOf(now)?.state?.waiting?.reason === 'CrashLoopBackOff')
    expect(pod.status?.phase).toBe('Running')
    expect(statusOf(pod)).toMatchObject({ restartCount: 1, ready: false, lastState: { terminated: { exitCode: 3, reason: 'Error' } } })
    expect(statusOf(pod)?.state?.waiting?.message).toContain('back-off 10s restarting failed container=main pod=web_default(')
    expect(await bench.events('web')).toContain(
      `BackOff: Back-off restarting failed container main in pod web_default(${pod.metadata.uid})`,
    )
  })

  it.each([
    ['Never', 0, 'Succeeded', 0],
    ['Never', 3, 'Failed', 0],
    ['OnFailure', 0, 'Succeeded', 0],
  ] as const)('gives the pod with policy %s and exit code %i the phase %s', async (restartPolicy, exitCode, phase, restarts) => {
    await start({ programs: { job: { exitAfterMs: 1_000, exitCode } } })
    await bench.create('job', { restartPolicy, containers: [{ name: 'main', image: 'job' }] })
    const pod = await bench.until('job', (now) => now.status?.phase === phase)
    expect(statusOf(pod)).toMatchObject({ restartCount: restarts, state: { terminated: { exitCode } } })
    expect(pod.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed',
    })
    await bench.clock.advance(600_000)
    expect(await bench.attempts('job')).toHaveLength(1)
  })

  it('is tried again with policy OnFailure while another one, which is done, stays as it ended', async () => {
    await start({ programs: { bad: crashing, good: { exitAfterMs: 500 } } })
    await bench.create('job', {
      restartPolicy: 'OnFailure',
      containers: [
        { name: 'main', image: 'bad' },
        { name: 'good', image: 'good' },
      ],
    })
    const pod = await bench.until('job', (now) => (statusOf(now)?.restartCount ?? 0) >= 2)
    expect(statusOf(pod, 'good')).toMatchObject({ restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } })
    expect(pod.status?.phase).toBe('Running')
  })

  it('takes the sidecars with it when it was the last one, and only then the phase is final', async () => {
    await start({ programs: { job: { exitAfterMs: 1_000 }, side: { stopAfterMs: 4_000 } } })
    await bench.create('job', {
      restartPolicy: 'Never',
      initContainers: [{ name: 'side', image: 'side', restartPolicy: 'Always' }],
      containers: [{ name: 'main', image: 'job' }],
    })
    await bench.until('job', (now) => statusOf(now)?.state?.terminated !== undefined)
    expect((await bench.get('job')).status?.phase).toBe('Running')
    const pod = await bench.until('job', (now) => now.status?.phase === 'Succeeded')
    expect(statusOf(pod, 'side')?.state?.terminated).toBeDefined()
    expect((await bench.attempts('job', 'side')).map(({ state }) => state)).toEqual(['exited'])
  })

  it('fails the pod when it was an init container that may not run again', async () => {
    await start({ programs: { init: crashing } })
    await bench.create('job', { restartPolicy: 'Never', initContainers: [{ name: 'init', image: 'init' }] })
    const pod = await bench.until('job', (now) => now.status?.phase === 'Failed')
    expect(statusOf(pod)?.state?.waiting?.reason).toBe('PodInitializing')
  })

  it('fails the pod with policy Never when it could not be started at all', async () => {
    await start({ programs: { broken: { startFails: 'exec: "nonsense": executable file not found in $PATH' } } })
    await bench.create('job', { restartPolicy: 'Never', containers: [{ name: 'main', image: 'broken' }] })
    const pod = await bench.until('job', (now) => now.status?.phase === 'Failed')
    expect(statusOf(pod)?.state?.terminated).toMatchObject({ exitCode: 128, message: expect.stringContaining('executable file not found') })
  })
})

describe('a pod with activeDeadlineSeconds', () => {
  it('is ended with its grace period when its time is over, even while it backs off', async () => {
    await start({ programs: { app: { exitAfterMs: 1_000, exitCode: 1 } } })
    await bench.create('web', { activeDeadlineSeconds: 45 })
    const pod = await bench.until('web', (now) => now.status?.phase === 'Failed')
    expect(pod.status).toMatchObject({ reason: 'DeadlineExceeded' })
    expect(bench.clock.monotonic()).toBeLessThan(48_000)
    await bench.clock.advance(600_000)
    expect((await bench.attempts('web')).every(({ state }) => state === 'exited')).toBe(true)
    expect((await bench.get('web')).status?.reason).toBe('DeadlineExceeded')
  })

  it('is killed when it ignores the signal', async () => {
    await start({ programs: { app: { stopAfterMs: Number.POSITIVE_INFINITY } } })
    await bench.create('web', { activeDeadlineSeconds: 10, terminationGracePeriodSeconds: 5 })
    const pod = await bench.until('web', (now) => now.status?.phase === 'Failed')
    expect(statusOf(pod)?.state?.terminated?.exitCode).toBe(137)
    expect(bench.clock.monotonic()).toBeGreaterThanOrEqual(15_000)
  })

  it('keeps its success when the time is over later', async () => {
    await start({ programs: { job: { exitAfterMs: 1_000 } } })
    await bench.create('job', { restartPolicy: 'Never', activeDeadlineSeconds: 5, containers: [{ name: 'main', image: 'job' }] })
    await bench.until('job', (now) => now.status?.phase === 'Succeeded')
    await bench.clock.advance(30_000)
    expect((await bench.get('job')).status?.phase).toBe('Succeeded')
  })
})

describe('an image', () => {
  it('that cannot be pulled is tried again with back-off, until the pod names another one', async () => {
    await start({ missingImages: new Set(['nowhere']) })
    const pod = await bench.create('web', { containers: [{ name: 'main', image: 'nowhere' }] })
    const first = await bench.until('web', (now) => statusOf(now)?.state?.waiting?.reason === 'ErrImagePull')
    expect(statusOf(first)?.state?.waiting?.message).toContain('failed to pull image "nowhere": not found')
    const second = await bench.until('web', (now) => statusOf(now)?.state?.waiting?.reason === 'ImagePullBackOff')
    expect(second.status?.phase).toBe('Pending')
    expect(bench.clock.monotonic()).toBeLessThan(12_000)
    expect(await bench.events('web')).toEqual(
      expect.arrayContaining([
        'Failed: Failed to pull image "nowhere": failed to pull image "nowhere": not found',
        'Failed: Error: ErrImagePull',
        'BackOff: Back-off pulling image "nowhere"',
        'Failed: Error: ImagePullBackOff',
      ]),
    )
    const before = bench.clock.monotonic()
    await bench.client.for(Pod).patch(keyOf(pod), { type: 'strategic', body: { spec: { containers: [{ name: 'main', image: 'app' }] } } })
    await bench.running('web')
    expect(bench.clock.monotonic() - before).toBeLessThan(3_000)
  })

  it('is not pulled with policy Never', async () => {
    await start()
    await bench.create('web', { containers: [{ name: 'main', image: 'app', imagePullPolicy: 'Never' }] })
    const pod = await bench.until('web', (now) => statusOf(now)?.state?.waiting?.reason === 'ErrImageNeverPull')
    expect(statusOf(pod)?.state?.waiting?.message).toBe('Container image "app" is not present with pull policy of Never')
  })

  it('is pulled with the credentials of the pod', async () => {
    await start()
    const auths = { 'registry.example.com': { username: 'me', password: 'secret' }, 'other.example.com': { username: 'no' } }
    await bench.client.for(Secret).create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'pull', namespace: 'default' },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
    })
    await bench.create('web', {
      containers: [{ name: 'main', image: 'registry.example.com/shop/web:1' }],
      imagePullSecrets: [{ name: 'missing' }, { name: 'pull' }],
    })
    await bench.running('web')
    expect(bench.runtime.pulledWith('registry.example.com/shop/web:1')).toMatchObject({ username: 'me', password: 'secret' })
  })
})

it('names the missing object while the environment cannot be resolved, and starts once it is there', async () => {
  await start()
  await bench.create('web', {
    containers: [
      { name: 'main', image: 'app', env: [{ name: 'MODE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } }] },
    ],
  })
  const pod = await bench.until('web', (now) => statusOf(now)?.state?.waiting?.reason === 'CreateContainerConfigError')
  expect(statusOf(pod)?.state?.waiting?.message).toBe('configmap "settings" not found')
  expect(await bench.events('web')).toContain('Failed: Error: configmap "settings" not found')
  await bench.client
    .for(ConfigMap)
    .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'default' }, data: { mode: 'fast' } })
  await bench.running('web')
})
