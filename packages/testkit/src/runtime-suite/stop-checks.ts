import { equal, notEqual, ok } from 'node:assert/strict'
import { systemClock } from '@continuo/core'
import { type RuntimeCheck, within } from './runtime-check.ts'

const main = { sandbox: 'a', name: 'main' }

async function taken(work: () => Promise<unknown>): Promise<number> {
  const from = systemClock.monotonic()
  await work()
  return systemClock.monotonic() - from
}

/** Stop signal, grace period, kill. */
export const stopChecks: readonly RuntimeCheck[] = [
  {
    name: 'lets a container end by itself within its grace period',
    async run(bench) {
      await bench.start('a', 'serve')
      const ms = await taken(() => within(bench.runtime.stop(main, 30_000), 'the end of the container'))
      ok(ms < 5_000, `it took ${ms} ms to stop what ends at its signal`)
      const end = await bench.ended('a')
      equal(end.state, 'exited')
      notEqual(end.exitCode, 137)
    },
  },
  {
    name: 'kills after the grace period, and not before',
    async run(bench) {
      await bench.start('a', 'stubborn')
      const ms = await taken(() => within(bench.runtime.stop(main, 400), 'the end of the container'))
      ok(ms >= 390, `it was killed after ${ms} ms of 400`)
      ok(ms < 3_000, `it took ${ms} ms`)
      equal((await bench.ended('a')).exitCode, 137)
    },
  },
  {
    name: 'kills at once without a grace period',
    async run(bench) {
      await bench.start('a', 'stubborn')
      ok((await taken(() => within(bench.runtime.stop(main, 0), 'the end of the container'))) < 2_000)
      equal((await bench.ended('a')).exitCode, 137)
    },
  },
  {
    name: 'has nothing to stop in what has ended',
    async run(bench) {
      await bench.start('a', 'fail')
      const end = await bench.ended('a')
      await within(bench.runtime.stop(main, 10_000), 'the answer')
      equal((await bench.state('a'))?.exitCode, end.exitCode)
      equal((await bench.state('a'))?.finishedAt, end.finishedAt)
    },
  },
  {
    name: 'stops waiting when it is told to, and a later stop may be shorter',
    async run(bench) {
      await bench.start('a', 'stubborn')
      const abort = new AbortController()
      const first = bench.runtime.stop(main, 60_000, abort.signal).then(
        () => 'stopped',
        () => 'aborted',
      )
      await systemClock.sleep(50)
      abort.abort()
      equal(await within(first, 'the end of the first stop'), 'aborted')
      equal((await bench.state('a'))?.state, 'running')
      await within(bench.runtime.stop(main, 50), 'the end of the container')
      equal((await bench.ended('a')).exitCode, 137)
    },
  },
  {
    name: 'resolves for everybody who stops at the same time',
    async run(bench) {
      await bench.start('a', 'stubborn')
      await within(
        Promise.all([bench.runtime.stop(main, 100), bench.runtime.stop(main, 100), bench.runtime.stop(main, 100)]),
        'the end of the container',
      )
      equal((await bench.ended('a')).exitCode, 137)
    },
  },
]
