import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import type { Store, StoreBatch, StoreEntry } from '../store/store.ts'
import { isStoreError, StoreError } from '../store/store-error.ts'

const pageSize = 1_000
const firstDelay = 50
const longestDelay = 5_000

/** A state that comes in pages; nothing is visible before it is complete. */
export interface Loading {
  add(entries: readonly StoreEntry[]): void
  complete(revision: number): void
}

export interface Follower {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  /** Begins to take a whole new state. */
  load(): Loading
  apply(batch: StoreBatch): void
  /** The revision that was reached. */
  position(): number
  /** Called for each watch, with a way to give it up and open another. */
  onConnected(reconnect: () => void): void
  onEnd(): void
}

/**
 * Loads the state, resolves, and follows the store's watch until the signal aborts: resumes after a lost connection,
 * loads anew when what it missed is compacted. Waits 50 ms after a failure, and twice as long after each further one, up to 5 s.
 */
export function followStore(follower: Follower): Promise<void> {
  return new Promise((resolve, reject) => {
    follow(follower, resolve).then(
      () => reject(follower.signal.reason),
      (error) => {
        follower.log.error({ error }, 'watch cache stopped')
        reject(error)
      },
    )
  })
}

async function follow(follower: Follower, onLoaded: () => void): Promise<void> {
  const { clock, log, signal } = follower
  let loaded = false
  let delay = firstDelay
  try {
    while (!signal.aborted) {
      try {
        if (!loaded) {
          await load(follower)
          loaded = true
          delay = firstDelay
          onLoaded()
        }
        await watch(follower, () => {
          delay = firstDelay
        })
      } catch (error) {
        if (signal.aborted) return
        if (isStoreError(error, 'STORE_COMPACTED', 'STORE_FUTURE_REVISION')) loaded = false
        log.warn(
          { error, revision: follower.position(), retryIn: delay },
          loaded ? 'watch of the store ended, resuming' : 'state of the store must be loaded',
        )
      }
      await clock.sleep(delay, signal).catch(() => {})
      delay = Math.min(delay * 2, longestDelay)
    }
  } finally {
    follower.onEnd()
  }
}

async function load(follower: Follower): Promise<void> {
  const { store, clock, signal } = follower
  const loading = follower.load()
  let startKey: string | undefined
  let revision: number | undefined
  for (;;) {
    const page = await store.list('', { startKey, limit: pageSize, revision, signal })
    revision = page.revision
    loading.add(page.entries)
    const last = page.entries.at(-1)
    if (last === undefined || page.count <= page.entries.length) return loading.complete(revision)
    startKey = `${last.key}\u0001`
    await clock.yield()
  }
}

async function watch(follower: Follower, onBatch: () => void): Promise<void> {
  const { store, signal, apply, position, onConnected } = follower
  const connection = new AbortController()
  onConnected(() => connection.abort())
  for await (const batch of store.watch('', { after: position(), signal: AbortSignal.any([signal, connection.signal]) })) {
    apply(batch)
    onBatch()
  }
  if (!signal.aborted) throw new StoreError('STORE_UNAVAILABLE', 'the watch of the store ended')
}
