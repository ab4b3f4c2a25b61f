import { ok } from 'node:assert/strict'
import { ContinuoError, systemClock } from '@continuo/core'
import type { ProbeResult, Prober, ProbeTarget } from '@continuo/workload'

/** What is there to be probed. */
export type ProbeScenario =
  /** It is well. */
  | 'well'
  /** It answers that it is not well, or refuses. */
  | 'unwell'
  /** It never answers. */
  | 'silent'
  /** The probe itself cannot run: its port has no such name, its container is gone. */
  | 'unprobeable'

/** A prober and something to point it at. */
export interface OpenedProber {
  readonly prober: Prober
  target(scenario: ProbeScenario): Promise<ProbeTarget>
  dispose(): Promise<void>
}

/** One duty of every prober. `run` throws when the prober neglects it. */
export interface ProbeCheck {
  readonly name: string
  run(opened: OpenedProber): Promise<void>
}

export async function runProbeCheck(check: ProbeCheck, open: () => Promise<OpenedProber>): Promise<void> {
  const opened = await open()
  try {
    await check.run(opened)
  } finally {
    await opened.dispose()
  }
}

const outcomes: readonly string[] = ['success', 'failure', 'unknown']
const patience = 5_000

/** Probes once. The result must have its form and come soon after the signal aborts. */
export async function probed(prober: Prober, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const stop = new AbortController()
  const late = systemClock.sleep(patience, stop.signal).then(
    () => {
      throw new ContinuoError('CHECK_FAILED', `the prober gave no result within ${patience} ms`)
    },
    () => new Promise<never>(() => {}),
  )
  try {
    const result = await Promise.race([prober.run(target, signal), late])
    ok(outcomes.includes(result?.outcome), `an outcome is one of ${outcomes.join(', ')}, not ${result?.outcome}`)
    ok(typeof result.message === 'string', 'a result has a message')
    return result
  } finally {
    stop.abort()
  }
}

export const soon = (): AbortSignal => AbortSignal.timeout(patience - 1_000)
