import { compareKeys, createMemoryStore, type Store, type StoreBatch } from '@continuo/core'

/** A store with one fault, and a check that must notice it. */
export interface BrokenStore {
  readonly fault: string
  readonly caughtBy: string
  open(): Store
}

/** A memory store with some of its methods replaced. */
function faulty(change: (sound: Store) => Partial<Store>, sound: Store = createMemoryStore()): Store {
  return {
    limits: sound.limits,
    features: sound.features,
    get: (key, options) => sound.get(key, options),
    list: (prefix, options) => sound.list(prefix, options),
    commit: (transaction) => sound.commit(transaction),
    watch: (prefix, options) => sound.watch(prefix, options),
    compact: (revision) => sound.compact(revision),
    head: () => sound.head(),
    compactedRevision: () => sound.compactedRevision(),
    close: () => sound.close(),
    ...change(sound),
  }
}

/** A store whose watches pass through a transformation of their batches. */
const faultyWatch = (transform: (batches: AsyncIterable<StoreBatch>) => AsyncIterable<StoreBatch>): Store =>
  faulty((sound) => ({ watch: (prefix, options) => transform(sound.watch(prefix, options)) }))

const forgottenCompaction = (sound: Store): Partial<Store> => ({
  async *watch(prefix, { after, signal }) {
    yield* sound.watch(prefix, { after: Math.max(after, await sound.compactedRevision()), signal })
  },
})

/** Stores that the suite must not let pass. */
export const brokenStores: readonly BrokenStore[] = [
  {
    fault: 'acknowledges a write and loses it',
    caughtBy: 'gives each commit a higher revision, which the head and every read show at once',
    open() {
      let commits = 0
      return faulty((sound) => ({
        async commit(transaction) {
          if (++commits % 7 !== 0) return sound.commit(transaction)
          const { conditions } = transaction
          return sound.commit({ conditions, writes: [{ type: 'put', key: '~lost', value: new Uint8Array(0) }] })
        },
      }))
    },
  },
  {
    fault: 'swaps neighbouring batches of a watch',
    caughtBy: 'shows many writers in one order to all watchers',
    open: () =>
      faultyWatch(async function* (batches) {
        let held: StoreBatch | undefined
        let count = 0
        for await (const batch of batches) {
          if (held !== undefined) {
            yield batch
            yield held
            held = undefined
          } else if (++count % 10 === 0) held = batch
          else yield batch
        }
      }),
  },
  {
    fault: 'skips an event of a large batch',
    caughtBy: 'delivers one commit as one batch',
    open: () =>
      faultyWatch(async function* (batches) {
        for await (const { revision, events } of batches) yield { revision, events: events.length > 2 ? events.slice(1) : events }
      }),
  },
  {
    fault: 'delivers the batch again from which a watch resumes',
    caughtBy: 'resumes from every revision with exactly what follows',
    open: () =>
      faulty((sound) => ({
        watch: (prefix, { after, signal }) => sound.watch(prefix, { after: Math.max(after - 1, 1), signal }),
      })),
  },
  {
    fault: 'splits a commit into two batches',
    caughtBy: 'delivers one commit as one batch',
    open: () =>
      faultyWatch(async function* (batches) {
        for await (const { revision, events } of batches) {
          yield { revision, events: events.slice(0, 1) }
          if (events.length > 1) yield { revision, events: events.slice(1) }
        }
      }),
  },
  {
    fault: 'tells events without the previous value',
    caughtBy: 'tells each change with what was there before',
    open: () =>
      faultyWatch(async function* (batches) {
        for await (const { revision, events } of batches) yield { revision, events: events.map(({ previous, ...event }) => event) }
      }),
  },
  {
    fault: 'ignores conditions on keys that it does not write',
    caughtBy: 'respects conditions on keys that are not written',
    open: () =>
      faulty((sound) => ({
        commit: ({ conditions, writes }) =>
          sound.commit({ conditions: conditions.filter(({ key }) => writes.some((write) => write.key === key)), writes }),
      })),
  },
  {
    fault: 'checks conditions before a pause in which others write',
    caughtBy: 'is linearizable under random concurrent histories',
    open: () =>
      faulty((sound) => ({
        async commit({ conditions, writes }) {
          const check = await sound.commit({ conditions, writes: [] })
          return check.committed ? sound.commit({ conditions: [], writes }) : check
        },
      })),
  },
  {
    fault: 'gives a revision twice',
    caughtBy: 'gives each commit a higher revision, which the head and every read show at once',
    open: () =>
      faulty((sound) => ({
        async commit(transaction) {
          const result = await sound.commit(transaction)
          return result.committed ? { ...result, revision: result.revision - (result.revision % 2) } : result
        },
      })),
  },
  {
    fault: 'applies the first write of a refused transaction',
    caughtBy: 'writes nothing of a refused transaction',
    open: () =>
      faulty((sound) => ({
        async commit(transaction) {
          const result = await sound.commit(transaction)
          if (!result.committed) await sound.commit({ conditions: [], writes: transaction.writes.slice(0, 1) })
          return result
        },
      })),
  },
  {
    fault: 'commits the writes of a transaction one by one',
    caughtBy: 'gives all writes of one transaction one revision',
    open: () =>
      faulty((sound) => ({
        async commit({ conditions, writes }) {
          let result = await sound.commit({ conditions, writes: writes.slice(0, 1) })
          for (const write of writes.slice(1)) if (result.committed) result = await sound.commit({ conditions: [], writes: [write] })
          return result
        },
      })),
  },
  {
    fault: 'reads from a copy that is one commit behind',
    caughtBy: 'is linearizable under random concurrent histories',
    open: () =>
      faulty((sound) => ({
        async get(key) {
          const revision = Math.max((await sound.head()) - 1, await sound.compactedRevision())
          return sound.get(key, { revision })
        },
      })),
  },
  {
    fault: 'orders keys by UTF-16 code units',
    caughtBy: 'orders keys by their bytes',
    open: () =>
      faulty((sound) => ({
        async list(prefix, options) {
          const list = await sound.list(prefix, options)
          return { ...list, entries: [...list.entries].sort((a, b) => (a.key < b.key ? -1 : Math.abs(compareKeys(a.key, b.key)))) }
        },
      })),
  },
  {
    fault: 'counts only the page',
    caughtBy: 'pages from a start key, with a limit and the count of all that follow',
    open: () =>
      faulty((sound) => ({
        async list(prefix, options) {
          const list = await sound.list(prefix, options)
          return { ...list, count: list.entries.length }
        },
      })),
  },
  {
    fault: 'pages through whatever is there now',
    caughtBy: 'pages through one revision while others write',
    open: () =>
      faulty((sound) => ({
        async list(prefix, { revision, ...options } = {}) {
          return { ...(await sound.list(prefix, options)), ...(revision !== undefined && { revision }) }
        },
      })),
  },
  {
    fault: 'watches from the compacted revision when asked for an older one',
    caughtBy: 'refuses to watch from below the compacted revision, and watches from it',
    open: () => faulty(forgottenCompaction),
  },
  {
    fault: 'silently drops what a slow consumer has not read',
    caughtBy: 'loses nothing to a slow consumer: it delivers everything or says so, and a resumed watch goes on',
    open: () =>
      faulty(
        (sound) => ({
          async *watch(prefix, { after, signal }) {
            let position = after
            for (;;) {
              try {
                for await (const batch of sound.watch(prefix, { after: position, signal })) {
                  position = batch.revision
                  yield batch
                }
                return
              } catch {
                position = (await sound.head()) - 1
              }
            }
          },
        }),
        createMemoryStore({ feed: { maxBatches: 100 } }),
      ),
  },
]
