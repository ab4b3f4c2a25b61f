import { type Cancel, type Clock, ContinuoError } from '@continuo/core'

interface Timer {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/** A clock that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  /** Moves on by `ms`: timers fire in the order of their times, and what they set off runs before the next one fires. */
  advance(ms: number): Promise<void>
  /**
   * Moves from timer to timer until the condition holds. Fails with a sentence when no timer is left or more than
   * `limitMs` (default one hour) of virtual time has passed.
   */
  advanceUntil(condition: () => boolean | Promise<boolean>, limitMs?: number): Promise<void>
  /** Lets everything run that needs no time to pass. */
  settle(): Promise<void>
  /** Timers that wait: what a test of leaks counts. */
  readonly pending: number
}

export interface VirtualClockOptions {
  /** Wall time at the beginning, in milliseconds. Default 2026-01-01T00:00:00Z. */
  readonly now?: number
}

/** Turns of the event loop that `settle` grants: enough for chains of promises and immediate callbacks. */
const settlingTurns = 20

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Makes a virtual clock. Two runs with the same calls see the same times. */
export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const epoch = options.now ?? Date.UTC(2026, 0, 1)
  const timers = new Set<Timer>()
  let elapsed = 0
  let order = 0

  const settle = async (): Promise<void> => {
    for (let at = 0; at < settlingTurns; at += 1) await turn()
  }
  const earliest = (): Timer | undefined => {
    let first: Timer | undefined
    for (const timer of timers)
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer
    return first
  }
  const fire = async (timer: Timer): Promise<void> => {
    elapsed = Math.max(elapsed, timer.at)
    timers.delete(timer)
    timer.callback()
    await settle()
  }
  const after = (ms: number, callback: () => void): Cancel => {
    order += 1
    const timer: Timer = { at: elapsed + Math.max(ms, 0), order, callback }
    timers.add(timer)
    return () => void timers.delete(timer)
  }

  return {
    now: () => epoch + elapsed,
    monotonic: () => elapsed,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const abort = (): void => {
          cancel()
          reject(signal?.reason)
        }
        const cancel = after(ms, () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        })
        signal?.addEventListener('abort', abort, { once: true })
      }),
    yield: turn,
    settle,
    async advance(ms) {
      await settle()
      const end = elapsed + ms
      for (let timer = earliest(); timer !== undefined && timer.at <= end; timer = earliest()) await fire(timer)
      elapsed = end
      await settle()
    },
    async advanceUntil(condition, limitMs = 3_600_000) {
      const end = elapsed + limitMs
      await settle()
      while (!(await condition())) {
        const timer = earliest()
        if (timer === undefined)
          throw new ContinuoError('CLOCK_STUCK', 'the condition does not hold and no timer is left that could change it')
        if (timer.at > end) throw new ContinuoError('CLOCK_LIMIT', `the condition does not hold after ${limitMs} ms of virtual time`)
        await fire(timer)
      }
    },
    get pending() {
      return timers.size
    },
  }
}
