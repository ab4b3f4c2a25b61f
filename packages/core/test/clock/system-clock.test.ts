import { expect, it } from 'vitest'
import { systemClock, withDeadline } from '../../src/index.ts'

it('sleeps, cancels and aborts with the reason', async () => {
  const begun = systemClock.monotonic()
  await systemClock.sleep(5)
  expect(systemClock.monotonic() - begun).toBeGreaterThanOrEqual(4)
  const abort = new AbortController()
  const slept = systemClock.sleep(60_000, abort.signal)
  abort.abort('enough')
  await expect(slept).rejects.toBe('enough')
  await expect(systemClock.sleep(1, abort.signal)).rejects.toBe('enough')
  let fired = false
  systemClock.after(1, () => (fired = true))()
  await systemClock.sleep(5)
  expect(fired).toBe(false)
})

it('does not fire early for delays beyond what the platform takes', async () => {
  let fired = false
  const cancel = systemClock.after(3_000_000_000, () => (fired = true))
  await systemClock.sleep(5)
  cancel()
  expect(fired).toBe(false)
})

it('ends work that takes too long with a sentence that names it', async () => {
  await expect(withDeadline(systemClock, 5, 'the long work', () => new Promise(() => {}))).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: 'the long work took longer than 5 ms',
  })
  expect(await withDeadline(systemClock, 1_000, 'quick work', () => 7)).toBe(7)
})
