import { createSeededRandom, createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import { ApiError, InformerHub, silentLog } from '../../src/index.ts'
import { MemoryApi, Widget, widget } from '../fakes/memory-api.ts'
import { createRecordingLog } from '../fakes/recording-log.ts'

function setUp(options: Partial<ConstructorParameters<typeof InformerHub>[0]> = {}) {
  const api = new MemoryApi()
  const clock = createVirtualClock()
  const hub = new InformerHub({ client: api.client(), clock, random: createSeededRandom(), log: silentLog, freeze: true, ...options })
  return { api, clock, hub }
}

it('lists, then follows the watch', async () => {
  const { api, clock, hub } = setUp()
  api.put('widgets', widget('a'))
  const informer = hub.informer(Widget)
  expect(informer.synced).toBe(false)
  hub.start()
  await informer.whenSynced()
  expect(informer.lister.get('default/a')?.metadata.name).toBe('a')
  const events: string[] = []
  informer.on({
    added: (object) => events.push(`+${object.metadata.name}`),
    updated: (object, old) => events.push(`${old.spec?.size}→${object.spec?.size}`),
    deleted: (object) => events.push(`-${object.metadata.name}`),
  })
  api.put('widgets', widget('b', { size: 1 }))
  api.put('widgets', widget('b', { size: 2 }))
  api.remove('widgets', 'default/a')
  await clock.settle()
  expect(events).toEqual(['+a', '+b', '1→2', '-a'])
  expect(informer.lister.list().map((object) => object.metadata.name)).toEqual(['b'])
  await informer.release()
})

it('takes many objects page by page', async () => {
  const { api, hub } = setUp()
  for (let at = 0; at < 1_200; at += 1) api.put('widgets', widget(`w${at}`))
  const informer = hub.informer(Widget)
  hub.start()
  await informer.whenSynced()
  expect(informer.lister.size).toBe(1_200)
  expect(api.count('list')).toBe(3)
  await informer.release()
})

it('takes the initial state as a stream when told to', async () => {
  const { api, clock, hub } = setUp({ streamingList: true })
  api.put('widgets', widget('a'))
  const informer = hub.informer(Widget)
  hub.start()
  await informer.whenSynced()
  api.put('widgets', widget('b'))
  await clock.settle()
  expect(informer.lister.size).toBe(2)
  expect(api.count('list')).toBe(0)
  await informer.release()
})

it('resumes a watch that ended from the last version, without listing again', async () => {
  const { api, clock, hub } = setUp()
  const informer = hub.informer(Widget)
  hub.start()
  await informer.whenSynced()
  api.put('widgets', widget('a'))
  await clock.settle()
  api.endWatches()
  api.put('widgets', widget('b'))
  await clock.advanceUntil(() => informer.lister.size === 2)
  expect(api.count('list')).toBe(1)
  expect(api.count('watch')).toBe(2)
  await informer.release()
})

it('lists again after 410 and reports what changed meanwhile', async () => {
  const { api, clock, hub } = setUp()
  api.put('widgets', widget('gone'))
  api.put('widgets', widget('kept', { size: 1 }))
  const informer = hub.informer(Widget)
  hub.start()
  await informer.whenSynced()
  const events: string[] = []
  informer.on({
    added: (object) => events.push(`+${object.metadata.name}`),
    updated: (object) => events.push(`~${object.metadata.name}`),
    deleted: (object) => events.push(`-${object.metadata.name}`),
  })
  events.length = 0
  // The informer hears of none of these: its watch is over and what happened since is compacted.
  api.before = (op) => {
    if (op === 'watch') throw new ApiError('ServiceUnavailable', 'away')
  }
  api.endWatches(new ApiError('Expired', 'too old'))
  await clock.settle()
  api.remove('widgets', 'default/gone')
  api.put('widgets', widget('kept', { size: 2 }))
  api.put('widgets', widget('new'))
  api.compact()
  api.before = () => {}
  await clock.advanceUntil(() => events.length === 3)
  expect(events).toEqual(['-gone', '~kept', '+new'])
  await informer.release()
})

it('reports an object that was made anew under its name as a deletion and an addition', async () => {
  const { api, clock, hub } = setUp()
  const old = api.put('widgets', widget('a'))
  const informer = hub.informer(Widget)
  hub.start()
  await informer.whenSynced()
  const events: string[] = []
  informer.on({ added: (object) => events.push(`+${object.metadata.uid}`), deleted: (object) => events.push(`-${object.metadata.uid}`) })
  events.length = 0
  api.before = (op) => {
    if (op === 'watch') throw new ApiError('Expired', 'too old')
  }
  api.endWatches()
  await clock.settle()
  api.remove('widgets', 'default/a')
  const fresh = api.put('widgets', widget('a'))
  api.before = () => {}
  await clock.advanceUntil(() => events.length === 2)
  expect(events).toEqual([`-${old.metadata.uid}`, `+${fresh.metadata.uid}`])
  await informer.release()
})

it('waits longer and longer, with jitter, while the server is away', async () => {
  const { api, clock, hub } = setUp()
  const asked: number[] = []
  api.before = () => {
    asked.push(clock.monotonic())
    throw new ApiError('ServiceUnavailable', 'away')
  }
  const informer = hub.informer(Widget)
  hub.start()
  await clock.advance(60_000)
  const waits = asked.slice(1).map((at, index) => at - (asked[index] ?? 0))
  expect(waits.length).toBeLessThan(15)
  expect(waits[0]).toBeGreaterThanOrEqual(100)
  for (const [index, wait] of waits.entries()) expect(wait).toBeLessThanOrEqual(Math.min(100 * 2 ** index, 30_000) * 2)
  expect(Math.max(...waits)).toBeGreaterThan(5_000)
  api.before = () => {}
  await clock.advanceUntil(() => informer.synced)
  await informer.release()
})

it('does not ask in a tight loop a server that ends each watch at once', async () => {
  const { api, clock, hub } = setUp()
  api.before = (op) => {
    if (op === 'watch') setImmediate(() => api.endWatches())
  }
  const informer = hub.informer(Widget)
  hub.start()
  await clock.advance(10_000)
  expect(api.count('watch')).toBeLessThan(150)
  await informer.release()
})

it('is one watch for all consumers with the same kind and options, and ends with the last of them', async () => {
  const { api, clock, hub } = setUp()
  const project = (object: Widget): Widget => ({ ...object, spec: {} })
  const informers = [
    hub.informer(Widget),
    hub.informer(Widget),
    hub.informer(Widget, { namespace: 'x' }),
    hub.informer(Widget, { project }),
    hub.informer(Widget, { project }),
  ]
  hub.start()
  await Promise.all(informers.map((informer) => informer.whenSynced()))
  await clock.settle()
  expect(hub.size).toBe(3)
  expect(api.streams.size).toBe(3)
  await informers[0]?.release()
  expect(hub.size).toBe(3)
  for (const informer of informers) await informer.release()
  await clock.settle()
  expect([hub.size, api.streams.size, clock.pending]).toEqual([0, 0, 0])
})

it('keeps indexes through updates and deletions and names the ones it has', async () => {
  const { api, clock, hub } = setUp()
  api.put('widgets', widget('a', { group: 'red' }))
  const informer = hub.informer(Widget, { indexes: { group: (object) => (object.spec?.group === undefined ? [] : [object.spec.group]) } })
  hub.start()
  await informer.whenSynced()
  const names = (group: string) => informer.lister.byIndex('group', group).map((object) => object.metadata.name)
  expect(names('red')).toEqual(['a'])
  api.put('widgets', widget('a', { group: 'blue' }))
  api.put('widgets', widget('b', { group: 'blue' }))
  await clock.settle()
  expect([names('red'), names('blue')]).toEqual([[], ['a', 'b']])
  api.remove('widgets', 'default/a')
  await clock.settle()
  expect(names('blue')).toEqual(['b'])
  expect(() => informer.lister.byIndex('colour', 'x')).toThrowError(
    expect.objectContaining({ code: 'INFORMER_UNKNOWN_INDEX', hint: 'it has group' }),
  )
  await informer.release()
})

it('gives a second consumer the objects that are there already, with indexes of its own', async () => {
  const { api, hub } = setUp()
  api.put('widgets', widget('a', { group: 'red' }))
  const first = hub.informer(Widget)
  hub.start()
  await first.whenSynced()
  const second = hub.informer(Widget, { indexes: { group: (object) => [object.spec?.group ?? ''] } })
  const added: string[] = []
  second.on({ added: (object) => added.push(object.metadata.name) })
  expect(added).toEqual(['a'])
  expect(second.lister.byIndex('group', 'red')).toHaveLength(1)
  await Promise.all([first.release(), second.release()])
})

it('keeps only what the projection keeps, and freezes it', async () => {
  const { api, hub } = setUp()
  api.put('widgets', widget('a', { size: 3, group: 'red' }))
  const informer = hub.informer(Widget, { project: ({ spec, ...rest }) => ({ ...rest, spec: { size: spec?.size } }) })
  hub.start()
  await informer.whenSynced()
  const object = informer.lister.get({ namespace: 'default', name: 'a' }) as Widget
  expect(object.spec).toEqual({ size: 3 })
  expect(() => {
    object.metadata.name = 'b'
  }).toThrow(TypeError)
  await informer.release()
})

it('resolves reached when an event or a bookmark brings the version, and rejects when aborted', async () => {
  const { api, clock, hub } = setUp()
  const informer = hub.informer(Widget)
  hub.start()
  await informer.whenSynced()
  const written = api.put('widgets', widget('a')).metadata.resourceVersion ?? ''
  await informer.lister.reached(written)
  expect(informer.lister.get('default/a')).toBeDefined()
  let reached = false
  const elsewhere = informer.lister.reached(String(api.revision + 1)).then(() => {
    reached = true
  })
  api.put('parts', widget('p'))
  await clock.settle()
  expect(reached).toBe(false)
  api.bookmark()
  await elsewhere
  const abort = new AbortController()
  const never = informer.lister.reached('9999', abort.signal)
  abort.abort('no more')
  await expect(never).rejects.toBe('no more')
  await informer.release()
})

it('isolates and logs a handler that throws', async () => {
  const log = createRecordingLog()
  const { api, clock, hub } = setUp({ log })
  const informer = hub.informer(Widget)
  hub.start()
  await informer.whenSynced()
  const seen: string[] = []
  informer.on({
    added: () => {
      throw new Error('broken handler')
    },
  })
  informer.on({ added: (object) => seen.push(object.metadata.name) })
  api.put('widgets', widget('a'))
  api.put('widgets', widget('b'))
  await clock.settle()
  expect(seen).toEqual(['a', 'b'])
  expect(log.entries.filter((entry) => entry.message === 'informer handler failed')).toHaveLength(2)
  await informer.release()
})

it('follows a resource that is not served yet, goes and comes back', async () => {
  const { api, clock, hub } = setUp()
  api.unserved.add('widgets')
  const informer = hub.dynamic({ group: 'demo.io', version: 'v1', resource: 'widgets' })
  hub.start()
  await informer.whenSynced()
  expect(informer.lister.size).toBe(0)
  api.unserved.delete('widgets')
  api.put('widgets', widget('a'))
  await clock.advanceUntil(() => informer.lister.size === 1)
  expect(informer.kind.kind).toBe('Widget')
  const deleted: string[] = []
  informer.on({ deleted: (object) => deleted.push(object.metadata.name) })
  api.unserved.add('widgets')
  api.endWatches()
  await clock.advanceUntil(() => informer.lister.size === 0)
  expect(deleted).toEqual(['a'])
  await informer.release()
  expect(clock.pending).toBe(0)
})

it('costs what changed, not what there is, at 10,000 objects', async () => {
  const { api, hub, clock } = setUp({ streamingList: true })
  for (let at = 0; at < 10_000; at += 1) api.put('widgets', widget(`w${at}`, { group: `g${at % 100}` }))
  const informer = hub.informer(Widget, { indexes: { group: (object) => [object.spec?.group ?? ''] } })
  hub.start()
  await informer.whenSynced()
  await clock.settle()
  const begun = performance.now()
  for (let at = 0; at < 1_000; at += 1) informer.lister.byIndex('group', `g${at % 100}`)
  for (let at = 0; at < 100_000; at += 1) informer.lister.get(`default/w${at % 10_000}`)
  expect(performance.now() - begun).toBeLessThan(1_000)
  await informer.release()
})
