import { createSeededRandom, createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import { createDecisionLog } from '../../src/index.ts'

const object = (name: string) => ({ kind: 'Widget', namespace: 'default', name })

it('keeps the newest decisions within its bound and finds them by object and id', () => {
  const log = createDecisionLog({ clock: createVirtualClock({ now: 5 }), random: createSeededRandom(), capacity: 3 })
  const ids = ['a', 'b', 'a', 'c'].map((name, at) => log.record({ actor: 'x', object: object(name), code: 'Chosen', message: String(at) }))
  expect(log.all().map((decision) => decision.message)).toEqual(['1', '2', '3'])
  expect(log.about(object('a')).map((decision) => decision.message)).toEqual(['2'])
  expect(log.byId(ids[0] ?? '')).toBeUndefined()
  expect(log.byId(ids[3] ?? '')).toMatchObject({ time: 5, actor: 'x' })
  expect(new Set(ids).size).toBe(4)
})
