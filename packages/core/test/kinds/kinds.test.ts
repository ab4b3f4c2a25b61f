import { expect, it } from 'vitest'
import { compareVersions, customTable, humanDuration, since, systemResources } from '../../src/index.ts'
import { convertEvents } from '../../src/kinds/event-conversion.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

it.each([
  [-5 * second, '<invalid>'],
  [-1 * second, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [3 * minute + 20 * second, '3m20s'],
  [11 * minute, '11m'],
  [3 * hour, '3h'],
  [3 * hour + 5 * minute, '3h5m'],
  [26 * hour, '26h'],
  [2 * day + 3 * hour, '2d3h'],
  [40 * day, '40d'],
  [3 * 365 * day, '3y'],
  [3 * 365 * day + 5 * day, '3y5d'],
  [9 * 365 * day, '9y'],
])('shows %i ms as %s', (ms, text) => {
  expect(humanDuration(ms)).toBe(text)
})

it('shows an unknown moment as unknown', () => {
  expect([since(undefined, 0), since('soon', 0), since('1970-01-01T00:00:00Z', 5000)]).toEqual(['<unknown>', '<unknown>', '5s'])
})

it('prefers stable versions, then newer ones', () => {
  expect(['v1alpha1', 'foo', 'v1', 'v1beta2', 'v10', 'v1beta1', 'v2', 'bar'].sort(compareVersions)).toEqual([
    'v10',
    'v2',
    'v1',
    'v1beta2',
    'v1beta1',
    'v1alpha1',
    'bar',
    'foo',
  ])
})

it('makes rows of custom resources by type, with the age when no column is named', () => {
  const object = {
    apiVersion: 'a/v1',
    kind: 'A',
    metadata: { name: 'x', creationTimestamp: '1970-01-01T00:00:00Z' },
    spec: { n: 3, s: 'text', o: { a: 1 }, b: true },
  }
  const column = (type: 'string' | 'integer' | 'boolean' | 'date', jsonPath: string) => ({ name: jsonPath, type, jsonPath })
  const table = customTable([
    column('integer', '.spec.n'),
    column('string', '.spec.n'),
    column('integer', '.spec.s'),
    column('string', '.spec.o'),
    column('boolean', '.spec.b'),
    column('string', '.spec.absent'),
    column('date', '.metadata.creationTimestamp'),
  ])
  expect(table.row(object, 10_000)).toEqual(['x', 3, '3', null, '{"a":1}', true, null, '10s'])
  expect(customTable(undefined).columns.map((one) => one.name)).toEqual(['Name', 'Age'])
})

it('converts events there and back without a loss', () => {
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e' },
    involvedObject: { name: 'a' },
    message: 'm',
    source: { component: 'c' },
    count: 2,
    firstTimestamp: 'f',
    lastTimestamp: 'l',
    reportingComponent: 'r',
    reason: 'R',
  }
  const [other] = convertEvents([event], 'events.k8s.io/v1')
  expect(other).toMatchObject({ note: 'm', regarding: { name: 'a' }, deprecatedCount: 2, reportingController: 'r' })
  expect(convertEvents([other as never], 'v1')).toEqual([event])
})

it('shows one cell for each column of every system kind', () => {
  for (const { kind, versions } of systemResources) {
    const object = { apiVersion: 'v1', kind, metadata: { name: 'x' } }
    for (const { table } of versions) expect(table?.row(object, 0).length, kind).toBe(table?.columns.length)
  }
})
