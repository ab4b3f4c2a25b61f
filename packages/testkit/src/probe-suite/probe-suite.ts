import { equal, ok } from 'node:assert/strict'
import { systemClock } from '@continuo/core'
import { describe, it } from 'vitest'
import { type OpenedProber, type ProbeCheck, probed, runProbeCheck, soon } from './probe-check.ts'

/** Handlers that validation would refuse, and that a prober must survive. */
const nonsense: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { port: 'no-such-name' },
  { port: 0 },
  { port: 70_000 },
  { port: -1 },
  { port: 80, path: '/a b\u0000\n', host: 'exa mple..' },
  { port: 80, httpHeaders: [{ name: 'Bad Name', value: 'x\r\ny: z' }] },
  { command: [] },
  { command: 'text' },
]

/** Every duty of a prober, each by name. */
export const probeChecks: readonly ProbeCheck[] = [
  {
    name: 'succeeds on what is well, again and again',
    async run({ prober, target }) {
      const well = await target('well')
      for (let round = 0; round < 5; round++) equal((await probed(prober, well, soon())).outcome, 'success')
    },
  },
  {
    name: 'succeeds many times at once',
    async run({ prober, target }) {
      const well = await target('well')
      const results = await Promise.all(Array.from({ length: 30 }, () => probed(prober, well, soon())))
      ok(results.every(({ outcome }) => outcome === 'success'))
    },
  },
  {
    name: 'fails on what is not well, and says what it saw',
    async run({ prober, target }) {
      const { outcome, message } = await probed(prober, await target('unwell'), soon())
      equal(outcome, 'failure')
      ok(message.trim() !== '', 'a failure has a message')
    },
  },
  {
    name: 'fails when no answer comes in time, and not long after',
    async run({ prober, target }) {
      const silent = await target('silent')
      const from = systemClock.monotonic()
      const { outcome, message } = await probed(prober, silent, AbortSignal.timeout(100))
      equal(outcome, 'failure')
      ok(message.trim() !== '', 'a failure has a message')
      ok(systemClock.monotonic() - from < 1_500, 'it gave up when it was told to')
    },
  },
  {
    name: 'is no success when its time was over before it began',
    async run({ prober, target }) {
      const { outcome } = await probed(prober, await target('silent'), AbortSignal.abort())
      ok(outcome !== 'success')
    },
  },
  {
    name: 'does not know when the probe itself cannot run, and says why',
    async run({ prober, target }) {
      const { outcome, message } = await probed(prober, await target('unprobeable'), soon())
      equal(outcome, 'unknown')
      ok(message.trim() !== '', 'it says why')
    },
  },
  {
    name: 'never throws, whatever the handler says',
    async run({ prober, target }) {
      const silent = await target('silent')
      for (const handler of nonsense) await probed(prober, { ...silent, handler }, AbortSignal.timeout(50))
    },
  },
  {
    name: 'does not remember: what was not well may be well the next time, and the other way round',
    async run({ prober, target }) {
      const [well, unwell] = [await target('well'), await target('unwell')]
      for (const [what, outcome] of [
        [well, 'success'],
        [unwell, 'failure'],
        [well, 'success'],
      ] as const)
        equal((await probed(prober, what, soon())).outcome, outcome)
    },
  },
]

/**
 * Declares the conformance tests of `probe/v1` for one implementation.
 * @param open Gives the prober and things to probe; called once for each test.
 * @example probeSuite('tcpSocket', async () => ({ prober: tcpProbe, target: (scenario) => …, dispose: () => close() }))
 */
export function probeSuite(name: string, open: () => Promise<OpenedProber>): void {
  describe(`probe suite: ${name}`, () => {
    for (const check of probeChecks) it(check.name, () => runProbeCheck(check, open))
  })
}
