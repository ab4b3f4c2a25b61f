import { expect, test } from 'vitest'
import { EventCorrelator } from '../../src/recorder/correlator.ts'
import type { Occurrence } from '../../src/recorder/recorded-event.ts'

const source = { component: 'tester' }
const about = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', name, uid: `uid-${name}` })
const occurrence = (message: string, name = 'a', reason = 'Tested'): Occurrence => ({ about: about(name), type: 'Normal', reason, message })

test('counts the same occurrence up in one event', () => {
  const correlator = new EventCorrelator()
  const first = correlator.correlate(occurrence('x'), source, 1_000, 'f1')
  const second = correlator.correlate(occurrence('x'), source, 61_000, 'f2')
  expect(first).toMatchObject({ type: 'create', event: { count: 1, metadata: { name: 'a.f1', namespace: 'default' } } })
  expect(second).toMatchObject({
    type: 'count',
    event: { count: 2, metadata: { name: 'a.f1' }, firstTimestamp: '1970-01-01T00:00:01Z', lastTimestamp: '1970-01-01T00:01:01Z' },
  })
})

test('keeps events of different messages, reasons and objects apart', () => {
  const correlator = new EventCorrelator()
  const results = [occurrence('x'), occurrence('y'), occurrence('x', 'b'), occurrence('x', 'a', 'Other')].map((each, i) =>
    correlator.correlate(each, source, 0, String(i)),
  )
  expect(results.map((result) => result.type)).toEqual(['create', 'create', 'create', 'create'])
})

test('combines the eleventh different message of one reason', () => {
  const correlator = new EventCorrelator()
  for (let i = 0; i < 10; i++) correlator.correlate(occurrence(`m${i}`), source, 0, String(i))
  expect(correlator.correlate(occurrence('m10'), source, 0, '10')).toMatchObject({
    type: 'create',
    event: { message: '(combined from similar events): m10' },
  })
  expect(correlator.correlate(occurrence('m11'), source, 0, '11')).toMatchObject({
    type: 'count',
    event: { count: 2, message: '(combined from similar events): m11' },
  })
})

test('drops what exceeds the burst of one object and refills with time', () => {
  const correlator = new EventCorrelator()
  const types = Array.from({ length: 26 }, () => correlator.correlate(occurrence('x'), source, 0, 'n').type)
  expect(types[24]).toBe('count')
  expect(types[25]).toBe('drop')
  expect(correlator.correlate(occurrence('x', 'b'), source, 0, 'n').type).toBe('create')
  expect(correlator.correlate(occurrence('x'), source, 300_000, 'n').type).toBe('count')
})

test('remembers a bounded number of events, forgetting the least recent', () => {
  const correlator = new EventCorrelator({ remembered: 2 })
  for (const name of ['a', 'b', 'c']) correlator.correlate(occurrence('x', name), source, 0, 'n')
  expect(correlator.correlate(occurrence('x', 'c'), source, 0, 'n').type).toBe('count')
  expect(correlator.correlate(occurrence('x', 'a'), source, 0, 'n').type).toBe('create')
})

test('begins a new event after one was forgotten', () => {
  const correlator = new EventCorrelator()
  const first = correlator.correlate(occurrence('x'), source, 0, 'n')
  if (first.type === 'drop') throw new TypeError('dropped')
  correlator.forget(first.event)
  expect(correlator.correlate(occurrence('x'), source, 0, 'n2')).toMatchObject({ type: 'create', event: { count: 1 } })
})
