import { createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import { PodTokens } from '../../src/pod/pod-tokens.ts'

const asked = { expirationSeconds: 3_600 }

it('asks for a token once and again when four fifths of its life are over', async () => {
  const clock = createVirtualClock()
  let count = 0
  const tokens = new PodTokens<string>(clock, async (pod) => `${pod}-${++count}`)
  expect([await tokens.token('u', 'web', asked), await tokens.token('u', 'web', asked)]).toEqual(['web-1', 'web-1'])
  expect(await tokens.token('u', 'web', { ...asked, audience: 'vault' })).toBe('web-2')
  await clock.advance(2_879_000)
  expect(await tokens.token('u', 'web', asked)).toBe('web-1')
  await clock.advance(2_000)
  expect(await tokens.token('u', 'web', asked)).toBe('web-3')
})

it('goes on with the old token while it is valid and no new one can be had', async () => {
  const clock = createVirtualClock()
  let down = false
  const tokens = new PodTokens<string>(clock, async () => {
    if (down) throw new TypeError('the API is down')
    return 'token'
  })
  await tokens.token('u', 'web', asked)
  down = true
  await clock.advance(3_500_000)
  expect(await tokens.token('u', 'web', asked)).toBe('token')
  await clock.advance(200_000)
  await expect(tokens.token('u', 'web', asked)).rejects.toThrow('the API is down')
})
