import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Bell, Gate } from '../src/gate.ts'

const never = () => () => {}

test('the gate lets no more tasks run than its limit', async () => {
  const gate = new Gate(2)
  const finish: (() => void)[] = []
  let most = 0
  const tasks = Array.from({ length: 5 }, () =>
    gate.enter(() => {
      most = Math.max(most, gate.running)
      return new Promise((resolve) => finish.push(resolve))
    }),
  )
  await Promise.all(tasks.slice(0, 2))
  for (let ended = 0; ended < 5; ended++) {
    finish.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(tasks)
  expect(most).toBe(2)
})

test('the bell wakes a loop, also when it rang before the loop waited', async () => {
  const bell = new Bell()
  const { signal } = new AbortController()
  bell.ring()
  await bell.wait(signal, never, undefined)
  const waiting = bell.wait(signal, never, undefined)
  bell.ring()
  await waiting
  await bell.wait(
    signal,
    (_, callback) => {
      callback()
      return () => {}
    },
    5,
  )
})

test('the bell wakes at the abort and leaves no listeners behind', async () => {
  const bell = new Bell()
  const abort = new AbortController()
  for (let i = 0; i < 20; i++) {
    const waiting = bell.wait(abort.signal, never, undefined)
    bell.ring()
    await waiting
  }
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
  const waiting = bell.wait(abort.signal, never, undefined)
  abort.abort()
  await waiting
})
