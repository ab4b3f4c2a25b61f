import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { systemClock } from '@continuo/core'
import { eventually, type RuntimeCheck, refused, within } from './runtime-check.ts'

/** Making and finding sandboxes and containers, and what is told of them. */
export const lifecycleChecks: readonly RuntimeCheck[] = [
  {
    name: 'works when it is checked',
    run: async ({ runtime }) => runtime.check(),
  },
  {
    name: 'makes one sandbox however often it is asked for it, with an address when it resolves',
    async run(bench) {
      const { runtime } = bench
      const [first, second] = await Promise.all([
        runtime.ensureSandbox(bench.sandboxSpec('a')),
        runtime.ensureSandbox(bench.sandboxSpec('a')),
      ])
      const third = await runtime.ensureSandbox(bench.sandboxSpec('a'))
      ok(first.ips.length > 0, 'a sandbox has an address')
      for (const again of [second, third]) deepEqual([again.id, again.ips, again.createdAt], [first.id, first.ips, first.createdAt])
      const list = await runtime.list()
      deepEqual(
        list.map(({ uid, namespace, name, state, ips }) => ({ uid, namespace, name, state, ips })),
        [{ uid: 'a', namespace: 'suite', name: 'pod-a', state: 'ready', ips: first.ips }],
      )
    },
  },
  {
    name: 'gives each sandbox an address of its own',
    async run(bench) {
      const sandboxes = await Promise.all(['a', 'b', 'c', 'd'].map((uid) => bench.runtime.ensureSandbox(bench.sandboxSpec(uid))))
      equal(new Set(sandboxes.map(({ ips }) => ips[0])).size, 4)
    },
  },
  {
    name: 'starts the container of an attempt once, however often and by how many it is asked',
    async run(bench) {
      const first = await bench.start('a', 'serve')
      equal(first.state, 'running')
      const again = await Promise.all(Array.from({ length: 3 }, () => bench.runtime.ensureContainer(bench.containerSpec('a', 'serve'))))
      for (const other of again) deepEqual([other.id, other.startedAt], [first.id, first.startedAt])
      await bench.start('b', 'serve')
      const racing = await Promise.all(
        [1, 2, 3].map(() => bench.runtime.ensureContainer(bench.containerSpec('b', 'serve', { attempt: 1 }))),
      )
      equal(new Set(racing.map(({ id }) => id)).size, 1)
      equal((await bench.sandbox('a'))?.containers.length, 1)
      equal((await bench.sandbox('b'))?.containers.length, 2)
    },
  },
  {
    name: 'tells back what it was told of a container',
    async run(bench) {
      await bench.start('a', 'serve', { name: 'side', kind: 'init', attempt: 3, hash: 'abc' })
      const state = await bench.state('a', 3, 'side')
      const { image } = bench.opened.programs.serve
      deepEqual([state?.name, state?.attempt, state?.kind, state?.hash, state?.image], ['side', 3, 'init', 'abc', image])
      ok(state !== undefined && state.id !== '' && state.imageId !== '')
      ok(Math.abs((state.startedAt ?? 0) - systemClock.now()) < 60_000, 'the start is told as wall time')
    },
  },
  {
    name: 'keeps the exit code and the time of the end, and does not start an ended attempt again',
    async run(bench) {
      await bench.start('a', 'fail')
      const end = await bench.ended('a')
      deepEqual([end.state, end.exitCode], ['exited', 3])
      ok((end.finishedAt ?? 0) >= (end.startedAt ?? Number.NaN), 'it ended after it began')
      const same = await bench.runtime.ensureContainer(bench.containerSpec('a', 'fail'))
      deepEqual([same.id, same.state, same.exitCode, same.finishedAt], [end.id, 'exited', 3, end.finishedAt])
    },
  },
  {
    name: 'keeps earlier attempts beside the next one',
    async run(bench) {
      const first = await bench.start('a', 'fail')
      await bench.ended('a')
      const second = await bench.runtime.ensureContainer(bench.containerSpec('a', 'fail', { attempt: 1 }))
      notEqual(second.id, first.id)
      equal((await bench.ended('a', 1)).exitCode, 3)
      equal((await bench.state('a', 0))?.exitCode, 3)
    },
  },
  {
    name: 'says why a container could not be started',
    async run(bench) {
      const outcome = await bench.start('a', 'unstartable').catch((error: unknown) => error)
      if (outcome instanceof Error) return refused(Promise.reject(outcome), 'RUNTIME_START_FAILED', 'RUNTIME_INVALID_SPEC')
      const end = await bench.ended('a')
      equal(end.state, 'exited')
      ok(end.exitCode !== undefined && end.exitCode !== 0, 'it has a code that is not success')
      ok((end.message ?? '') !== '', 'it has a sentence')
    },
  },
  {
    name: 'refuses an image that is nowhere, and keeps nothing of the attempt',
    async run(bench) {
      const { runtime, opened } = bench
      await runtime.ensureSandbox(bench.sandboxSpec('a'))
      equal(await runtime.imagePresent(opened.missingImage), false)
      await refused(
        runtime.pullImage(opened.missingImage, undefined, AbortSignal.timeout(30_000)),
        'RUNTIME_IMAGE_PULL',
        'RUNTIME_IMAGE_NOT_PRESENT',
      )
      await refused(
        runtime.ensureContainer({ ...bench.containerSpec('a', 'serve'), image: opened.missingImage }),
        'RUNTIME_IMAGE_NOT_PRESENT',
      )
      deepEqual((await bench.sandbox('a'))?.containers, [])
    },
  },
  {
    name: 'refuses what names nothing with RUNTIME_NOT_FOUND',
    async run(bench) {
      const { runtime } = bench
      const streams = { tty: false }
      const nobody = { sandbox: 'a', name: 'nobody' }
      const signal = AbortSignal.timeout(10_000)
      await bench.pull(bench.opened.programs.serve.image)
      await refused(runtime.ensureContainer(bench.containerSpec('nowhere', 'serve')), 'RUNTIME_NOT_FOUND')
      await runtime.ensureSandbox(bench.sandboxSpec('a'))
      await refused(runtime.stop(nobody, 0), 'RUNTIME_NOT_FOUND')
      await refused(bench.logs(nobody), 'RUNTIME_NOT_FOUND')
      await refused(runtime.exec(nobody, ['true'], streams, signal), 'RUNTIME_NOT_FOUND')
      await refused(runtime.attach(nobody, streams, signal), 'RUNTIME_NOT_FOUND')
      await refused(runtime.stats('nowhere'), 'RUNTIME_NOT_FOUND')
      await bench.start('a', 'fail')
      await bench.ended('a')
      await refused(runtime.exec({ sandbox: 'a', name: 'main' }, ['true'], streams, signal), 'RUNTIME_NOT_FOUND')
    },
  },
  {
    name: 'removes an ended container with its log, and leaves the others',
    async run(bench) {
      await bench.start('a', 'fail')
      await bench.ended('a')
      await bench.start('a', 'serve', { attempt: 1 })
      const old = { sandbox: 'a', name: 'main', attempt: 0 }
      await bench.runtime.removeContainer(old)
      await bench.runtime.removeContainer(old)
      equal(await bench.state('a', 0), undefined)
      equal((await bench.state('a', 1))?.state, 'running')
      await refused(bench.logs(old), 'RUNTIME_NOT_FOUND')
    },
  },
  {
    name: 'removes a sandbox with everything in it, running or not, and nothing else',
    async run(bench) {
      await bench.start('a', 'stubborn')
      await bench.start('b', 'serve')
      await within(bench.runtime.removeSandbox('a'), 'the end of a sandbox')
      await bench.runtime.removeSandbox('a')
      await bench.runtime.removeSandbox('never-was')
      deepEqual(
        (await bench.runtime.list()).map(({ uid }) => uid),
        ['b'],
      )
      equal((await bench.state('b'))?.state, 'running')
      const again = await bench.runtime.ensureSandbox(bench.sandboxSpec('a'))
      deepEqual(again.containers, [])
    },
  },
  {
    name: 'tells of changes by events until it is told to stop',
    async run(bench) {
      const stop = new AbortController()
      const seen = new Set<string>()
      const reading = (async () => {
        for await (const event of bench.runtime.events(stop.signal))
          seen.add(event.container === undefined ? event.sandbox : `${event.sandbox}/${event.container}`)
      })()
      await systemClock.sleep(20)
      await bench.start('a', 'serve')
      await bench.runtime.stop({ sandbox: 'a', name: 'main' }, 5_000)
      await eventually('an event of the container', async () => (seen.has('a/main') ? true : undefined))
      stop.abort()
      await within(reading, 'the end of the events')
    },
  },
  {
    name: 'tells the usage of what runs',
    async run(bench) {
      await bench.start('a', 'serve')
      await bench.start('a', 'fail', { name: 'other' })
      await eventually('the end of the other container', async () =>
        (await bench.state('a', 0, 'other'))?.state === 'exited' ? true : undefined,
      )
      const stats = await bench.runtime.stats('a')
      deepEqual(
        stats.map(({ container }) => container),
        ['main'],
      )
      ok(
        stats.every(
          ({ cpuNanoseconds, memoryRssBytes, memoryWorkingSetBytes }) =>
            Math.min(cpuNanoseconds, memoryRssBytes, memoryWorkingSetBytes) >= 0,
        ),
      )
    },
  },
  {
    name: 'refuses to resize when it cannot',
    applies: ({ runtime }) => !runtime.features.resize,
    async run(bench) {
      await bench.start('a', 'serve')
      await refused(bench.runtime.updateResources({ sandbox: 'a', name: 'main' }, { cpuLimit: 1 }), 'RUNTIME_UNSUPPORTED')
    },
  },
  {
    name: 'is found again by another instance: sandboxes, what runs, exit codes, logs',
    applies: ({ reopen }) => reopen !== undefined,
    async run(bench) {
      const running = await bench.start('a', 'serve')
      await bench.start('b', 'fail')
      await bench.ended('b')
      const before = await bench.runtime.list()
      bench.runtime = await (bench.opened.reopen as () => Promise<typeof bench.runtime>)()
      const byUid = (list: typeof before) => [...list].sort((x, y) => (x.uid < y.uid ? -1 : 1))
      deepEqual(byUid(await bench.runtime.list()), byUid(before))
      equal((await bench.runtime.ensureContainer(bench.containerSpec('a', 'serve'))).id, running.id)
      ok((await bench.logs({ sandbox: 'b', name: 'main' })).includes('two\n'))
      await bench.runtime.stop({ sandbox: 'a', name: 'main' }, 5_000)
      equal((await bench.ended('a')).state, 'exited')
    },
  },
]
