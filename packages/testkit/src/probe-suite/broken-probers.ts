import { systemClock } from '@continuo/core'
import type { Prober, ProbeTarget } from '@continuo/workload'
import type { OpenedProber } from './probe-check.ts'

/** A prober with one fault, and a check that must notice it. */
export interface BrokenProber {
  readonly fault: string
  readonly caughtBy: string
  open(): Promise<OpenedProber>
}

/** Goes by what an exec of the handler's command says: the smallest prober that keeps every duty. */
export const referenceProber: Prober = {
  run: (target, signal) =>
    new Promise((resolve) => {
      const late = (): void => resolve({ outcome: 'failure', message: 'timed out' })
      if (signal.aborted) return late()
      signal.addEventListener('abort', late, { once: true })
      target.exec(target.handler.command as readonly string[], signal).then(
        ({ exitCode, output }) => resolve({ outcome: exitCode === 0 ? 'success' : 'failure', message: output }),
        (error: unknown) => resolve({ outcome: 'unknown', message: String(error) }),
      )
    }),
}

/** Opens the reference prober, or a faulty one, over commands that a test answers. */
export const openReferenceProber =
  (prober: Prober = referenceProber) =>
  async (): Promise<OpenedProber> => ({
    prober,
    target: async (scenario): Promise<ProbeTarget> => ({
      podIP: '127.0.0.1',
      handler: { command: ['check'] },
      port: () => undefined,
      exec: async () => {
        if (scenario === 'silent') return new Promise(() => {})
        if (scenario === 'unprobeable') throw new TypeError('no such container')
        return { exitCode: scenario === 'well' ? 0 : 1, output: scenario }
      },
    }),
    dispose: async () => {},
  })

const { run } = referenceProber
const faulty = (fault: string, caughtBy: string, prober: Prober): BrokenProber => ({ fault, caughtBy, open: openReferenceProber(prober) })

/** Probers that the suite must not let pass. */
export const brokenProbers: readonly BrokenProber[] = [
  faulty('fails always', 'succeeds on what is well, again and again', { run: async () => ({ outcome: 'failure', message: 'no' }) }),
  faulty('succeeds always', 'fails on what is not well, and says what it saw', { run: async () => ({ outcome: 'success', message: '' }) }),
  faulty('succeeds once only', 'succeeds many times at once', limited()),
  faulty('says nothing of a failure', 'fails on what is not well, and says what it saw', {
    run: async (target, signal) => ({ ...(await run(target, signal)), message: '' }),
  }),
  faulty('waits beyond its time', 'fails when no answer comes in time, and not long after', {
    run: (target) => run(target, AbortSignal.timeout(60_000)),
  }),
  faulty('takes a late answer for a good one', 'fails when no answer comes in time, and not long after', {
    run: async (target, signal) => {
      const result = await run(target, signal)
      return signal.aborted ? { outcome: 'success', message: 'late' } : result
    },
  }),
  faulty('takes a probe that cannot run for a failure', 'does not know when the probe itself cannot run, and says why', {
    run: async (target, signal) => {
      const result = await run(target, signal)
      return result.outcome === 'unknown' ? { ...result, outcome: 'failure' } : result
    },
  }),
  faulty('throws when it cannot run', 'does not know when the probe itself cannot run, and says why', {
    run: async (target) => ({ outcome: (await target.exec([], AbortSignal.abort())).exitCode === 0 ? 'success' : 'failure', message: '' }),
  }),
  faulty('throws at a handler that it does not understand', 'never throws, whatever the handler says', {
    run: async (target, signal) => {
      if (!Array.isArray(target.handler.command)) throw new TypeError('no command')
      return run(target, signal)
    },
  }),
  faulty(
    'remembers its first result',
    'does not remember: what was not well may be well the next time, and the other way round',
    remembering(),
  ),
]

function limited(): Prober {
  let busy = false
  return {
    run: async (target, signal) => {
      if (busy) return { outcome: 'failure', message: 'busy' }
      busy = true
      await systemClock.yield()
      busy = false
      return run(target, signal)
    },
  }
}

function remembering(): Prober {
  let first: ReturnType<Prober['run']> | undefined
  return {
    run: (target, signal) => {
      first ??= run(target, signal)
      return first
    },
  }
}
