import { ContinuoError, systemClock } from '@continuo/core'

/** Polls until the probe gives a value and resolves with it. After `ms` of real time throws `TEST_TIMEOUT` with the probe's last error as cause. */
export async function eventually<T>(probe: () => Promise<T | undefined | false>, what: string, ms = 5000): Promise<T> {
  const end = systemClock.monotonic() + ms
  let last: unknown
  while (systemClock.monotonic() < end) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      last = error
    }
    await systemClock.sleep(10)
  }
  throw new ContinuoError('TEST_TIMEOUT', `waited ${ms} ms for: ${what}`, { cause: last })
}
