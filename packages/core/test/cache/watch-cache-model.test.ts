import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createWatchCache } from '../../src/cache/create-watch-cache.ts'
import type { CacheCursor } from '../../src/cache/watch-cache.ts'
import { systemClock } from '../../src/clock/system-clock.ts'
import { silentLog } from '../../src/log/log.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { StoreWrite } from '../../src/store/store.ts'

const prefixes = ['', '/a/', '/a/b/', '/a/b/c', '/b/']
const keys = ['/a/1', '/a/2', '/a/b/1', '/a/b/c', '/a/b/cc', '/b/1', '/b/2', '/c']
const labels = ['l=x', 'l=y', 'l=z']

const key = fc.constantFrom(...keys)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('put' as const), key, label: fc.constantFrom(...labels) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('watch' as const),
      prefix: fc.constantFrom(...prefixes),
      label: fc.constantFrom('', ...labels),
      back: fc.nat(8),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('take' as const), which: fc.nat(20), max: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('close' as const), which: fc.nat(20) }) },
)

interface Watcher {
  readonly cursor: CacheCursor
  readonly prefix: string
  readonly label: string
  readonly after: number
  readonly taken: string[]
  behind: boolean
}

interface Change {
  readonly revision: number
  readonly key: string
  readonly before: string | undefined
  readonly now: string | undefined
}

const line = ({ revision, key, before, now }: Change): string => `${revision} ${key} ${before}>${now}`

it('gives every cursor exactly the events of its prefix and dispatch key, or says that it fell behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), fc.integer({ min: 3, max: 40 }), async (steps, ringSize) => {
      const stop = new AbortController()
      const store = createMemoryStore()
      const cache = createWatchCache({ store, clock: systemClock, log: silentLog, ringSize })
      await cache.start(stop.signal)
      for (const prefix of prefixes) cache.index(prefix, { keysOf: ({ value }) => [Buffer.from(value).toString()] })
      const changes: Change[] = []
      const state = new Map<string, string>()
      const watchers: Watcher[] = []
      const closed = new Set<Watcher>()

      const expected = ({ prefix, label, after }: Watcher): string[] =>
        changes
          .filter(
            ({ key, revision, before, now }) =>
              key.startsWith(prefix) && revision > after && (label === '' || before === label || now === label),
          )
          .map(line)
      const take = (watcher: Watcher, max: number): void => {
        if (watcher.behind || closed.has(watcher)) return
        try {
          for (const { revision, key, previous, entry } of watcher.cursor.take(max)) {
            const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString())
            watcher.taken.push(line({ revision, key, before: text(previous?.value), now: text(entry?.value) }))
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'CACHE_BEHIND' })
          const missed = Number(expected(watcher)[watcher.taken.length]?.split(' ')[0])
          expect(missed).toBeLessThanOrEqual(cache.oldestRevision)
          watcher.behind = true
        }
      }

      for (const step of steps) {
        if (step.type === 'put' || step.type === 'delete') {
          const now = step.type === 'put' ? step.label : undefined
          const write: StoreWrite =
            now === undefined ? { type: 'delete', key: step.key } : { type: 'put', key: step.key, value: Buffer.from(now) }
          const before = state.get(step.key)
          if (before === undefined && now === undefined) continue
          const { revision } = await store.commit({ conditions: [], writes: [write] })
          changes.push({ revision, key: step.key, before, now })
          if (now === undefined) state.delete(step.key)
          else state.set(step.key, now)
          await cache.reached(revision)
        } else if (step.type === 'watch') {
          const after = cache.revision - step.back
          const { prefix, label } = step
          if (after < cache.oldestRevision) expect(() => cache.watch(prefix, { dispatchKey: label, after })).toThrow()
          else watchers.push({ cursor: cache.watch(prefix, { dispatchKey: label, after }), prefix, label, after, taken: [], behind: false })
        } else {
          const watcher = watchers[step.which % Math.max(1, watchers.length)]
          if (watcher === undefined) continue
          if (step.type === 'take') take(watcher, step.max)
          else {
            watcher.cursor.close()
            closed.add(watcher)
          }
        }
      }

      for (const watcher of watchers) {
        take(watcher, 1_000)
        const all = expected(watcher)
        if (watcher.behind || closed.has(watcher)) expect(watcher.taken).toEqual(all.slice(0, watcher.taken.length))
        else {
          expect(watcher.taken).toEqual(all)
          expect(watcher.cursor.revision).toBe(cache.revision)
        }
      }
      for (const prefix of prefixes) {
        for (const label of labels) {
          const bearing = [...state].filter(([key, value]) => key.startsWith(prefix) && value === label).map(([key]) => key)
          expect(cache.byDispatchKey(prefix, label).map((entry) => entry.key)).toEqual(bearing.sort())
        }
      }
      stop.abort()
    }),
    { numRuns: 150 },
  )
})
