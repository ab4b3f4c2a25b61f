import { expect, test } from 'vitest'
import type { ObjectClient } from '../../src/client/object-client.ts'
import type { Patch } from '../../src/client/options.ts'
import type { Clock } from '../../src/clock/clock.ts'
import { ApiError } from '../../src/errors/api-error.ts'
import { silentLog } from '../../src/log/log.ts'
import { createEventRecorder } from '../../src/recorder/event-recorder.ts'
import type { RecordedEvent } from '../../src/recorder/recorded-event.ts'

/** Keeps events in a map; each entry of `failures` is thrown once. */
function storedEvents() {
  const stored = new Map<string, RecordedEvent>()
  const failures: ApiError[] = []
  const events = {
    async create(event: RecordedEvent) {
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      stored.set(event.metadata.name, event)
      return event
    },
    async patch(at: { name: string }, patch: Patch) {
      const current = stored.get(at.name)
      if (current === undefined) throw new ApiError('NotFound', `events "${at.name}" not found`)
      stored.set(at.name, { ...current, ...(patch.body as object) })
      return stored.get(at.name)
    },
  }
  return { stored, failures, client: { for: () => events } as unknown as ObjectClient }
}

const clock = (sleeps: number[]): Clock => ({
  now: () => 5_000,
  monotonic: () => 0,
  after: () => () => {},
  sleep: async (ms) => void sleeps.push(ms),
  yield: async () => {},
})

const about = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', namespace: 'ns', uid: 'u1', resourceVersion: '7' } }

test('writes one event and raises its count', async () => {
  const { client, stored } = storedEvents()
  const recorder = createEventRecorder({ client, clock: clock([]), log: silentLog, component: 'tester', host: 'h1' })
  recorder.event(about, 'Normal', 'Tested', 'all is well')
  recorder.event(about, 'Normal', 'Tested', 'all is well')
  await recorder.flush()
  expect([...stored.values()]).toMatchObject([
    {
      count: 2,
      reason: 'Tested',
      message: 'all is well',
      type: 'Normal',
      source: { component: 'tester', host: 'h1' },
      involvedObject: { apiVersion: 'v1', kind: 'Namespace', name: 'a', namespace: 'ns', uid: 'u1', resourceVersion: '7' },
      metadata: { namespace: 'ns' },
    },
  ])
})

test('creates the event again when it has expired', async () => {
  const { client, stored } = storedEvents()
  const recorder = createEventRecorder({ client, clock: clock([]), log: silentLog, component: 'tester' })
  recorder.event(about, 'Normal', 'Tested', 'x')
  await recorder.flush()
  stored.clear()
  recorder.event(about, 'Normal', 'Tested', 'x')
  await recorder.flush()
  expect([...stored.values()]).toMatchObject([{ count: 2 }])
})

test('retries while the API is unavailable and gives up on a refusal', async () => {
  const { client, stored, failures } = storedEvents()
  const sleeps: number[] = []
  const recorder = createEventRecorder({ client, clock: clock(sleeps), log: silentLog, component: 'tester' })
  failures.push(new ApiError('ServiceUnavailable', 'no store'), new ApiError('ServiceUnavailable', 'no store'))
  recorder.event(about, 'Warning', 'Failed', 'x')
  await recorder.flush()
  expect(sleeps).toEqual([1000, 2000])
  expect(stored.size).toBe(1)
  failures.push(new ApiError('Forbidden', 'namespace is being terminated'))
  recorder.event(about, 'Warning', 'Refused', 'y')
  await recorder.flush()
  expect(stored.size).toBe(1)
})

test('drops events beyond its queue and after it was closed', async () => {
  const { client, stored } = storedEvents()
  const recorder = createEventRecorder({ client, clock: clock([]), log: silentLog, component: 'tester', queue: 2 })
  for (let i = 0; i < 10; i++) recorder.event({ ...about, metadata: { ...about.metadata, name: `n${i}` } }, 'Normal', 'Tested', 'x')
  await recorder.close()
  const before = stored.size
  recorder.event(about, 'Normal', 'Tested', 'late')
  await recorder.flush()
  expect(before).toBeLessThanOrEqual(3)
  expect(stored.size).toBe(before)
})
