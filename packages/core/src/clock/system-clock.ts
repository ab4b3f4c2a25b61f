import type { Clock } from './clock.ts'

/** The longest delay that the platform's timers take; a longer one is reached in steps. */
const longestTimer = 2_147_483_647

/** The real clock: the one place in core that touches the platform's time and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    let timer: NodeJS.Timeout
    const arm = (left: number): void => {
      timer = setTimeout(
        () => (left > longestTimer ? arm(left - longestTimer) : callback()),
        Math.min(Math.max(left, 0), longestTimer),
      ).unref()
    }
    arm(ms)
    return () => clearTimeout(timer)
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = (): void => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = systemClock.after(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      signal?.addEventListener('abort', abort, { once: true })
    })
  },
  yield: () => new Promise((resolve) => setImmediate(resolve)),
}
