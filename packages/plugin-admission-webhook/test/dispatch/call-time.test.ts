import { expect, it } from 'vitest'
import { callTime } from '../../src/dispatch/ask-webhook.ts'

it('gives a webhook its own time, and no more than the request has left', () => {
  expect(callTime(10, 60_000)).toBe(10_000)
  expect(callTime(10, 2_500)).toBe(2_500)
  expect(() => callTime(10, 0)).toThrow('request did not complete within requested timeout')
})
