import {
  ContinuoError,
  isStoreError,
  type Store,
  type StoreBatch,
  type StoreEntry,
  type StoreErrorCode,
  type StoreWrite,
  systemClock,
} from '@continuo/core'

/** An empty store, and how to get rid of it (files, connections) after the check. */
export interface OpenedStore {
  readonly store: Store
  dispose(): Promise<void>
}

/** One duty of every store. `run` throws when the store neglects it. */
export interface StoreCheck {
  readonly name: string
  run(store: Store): Promise<void>
}

/** Opens an empty store for one check and disposes of it afterwards. */
export async function runStoreCheck(check: StoreCheck, open: () => Promise<OpenedStore>): Promise<void> {
  const { store, dispose } = await open()
  try {
    await check.run(store)
  } finally {
    await dispose()
  }
}

/** How long a check waits for what a store must do soon. */
const patience = 10_000

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array): string => new TextDecoder().decode(value)

export const putOf = (key: string, value: string | Uint8Array): StoreWrite => ({
  type: 'put',
  key,
  value: typeof value === 'string' ? bytes(value) : value,
})
export const deleteOf = (key: string): StoreWrite => ({ type: 'delete', key })

/** Commits without conditions and returns the revision. */
export async function write(store: Store, ...writes: readonly StoreWrite[]): Promise<number> {
  const result = await store.commit({ conditions: [], writes })
  if (!result.committed) throw new ContinuoError('CHECK_FAILED', 'a commit without conditions was refused')
  return result.revision
}

export const put = (store: Store, key: string, value: string): Promise<number> => write(store, putOf(key, value))
export const remove = (store: Store, key: string): Promise<number> => write(store, deleteOf(key))

export const shown = (entry: StoreEntry | undefined): string =>
  entry === undefined ? 'absent' : `${entry.key}=${text(entry.value)}@${entry.createRevision}/${entry.modRevision}`

export const keysOf = (entries: readonly StoreEntry[]): readonly string[] => entries.map(({ key }) => key)

export async function expectCode(code: StoreErrorCode, action: () => Promise<unknown>): Promise<void> {
  try {
    await within(action(), `the answer ${code}`)
  } catch (error) {
    if (isStoreError(error, code)) return
    throw error
  }
  throw new ContinuoError('CHECK_FAILED', `${code} was expected, but it succeeded`)
}

export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const stop = new AbortController()
  const late = systemClock.sleep(patience, stop.signal).then(
    () => {
      throw new ContinuoError('CHECK_FAILED', `${what} did not come within ${patience} ms`)
    },
    () => promise,
  )
  try {
    return await Promise.race([promise, late])
  } finally {
    stop.abort()
  }
}

/** A watch that a check reads from, batch by batch. Progress notifications are passed over. */
export class Watching {
  readonly #stop = new AbortController()
  readonly #batches: AsyncIterator<StoreBatch>

  constructor(store: Store, prefix: string, after: number) {
    this.#batches = store.watch(prefix, { after, signal: this.#stop.signal })[Symbol.asyncIterator]()
  }

  /** The next batch with events; undefined when the watch ended. */
  async next(): Promise<StoreBatch | undefined> {
    for (;;) {
      const { value, done } = await within(this.#batches.next(), 'a batch of the watch')
      if (done === true) return undefined
      if (value.events.length > 0) return value
    }
  }

  /** All batches up to the revision: those that are missing are waited for. */
  async upTo(revision: number): Promise<readonly StoreBatch[]> {
    const batches: StoreBatch[] = []
    while ((batches.at(-1)?.revision ?? 0) < revision) {
      const batch = await this.next()
      if (batch === undefined) break
      batches.push(batch)
    }
    return batches
  }

  abort(): void {
    this.#stop.abort()
  }

  async end(): Promise<void> {
    this.abort()
    await this.#batches.return?.()
  }
}

/** Batches after a revision up to another, from a watch of their own. */
export async function history(store: Store, prefix: string, after: number, revision: number): Promise<readonly StoreBatch[]> {
  const watching = new Watching(store, prefix, after)
  try {
    return await watching.upTo(revision)
  } finally {
    await watching.end()
  }
}

/** A batch as text: equal texts are equal batches. */
export const batchText = ({ revision, events }: StoreBatch): string =>
  `${revision}: ${events.map((event) => `${event.type} ${event.key}=${text(event.value)}@${event.createRevision} was ${shown(event.previous)}`).join(', ')}`
