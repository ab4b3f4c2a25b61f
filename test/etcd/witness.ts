import { isStoreError, type Store, type StoreBatch } from '@continuo/core'

interface Write {
  readonly key: string
  readonly value: string
  readonly revision?: number
}

/** What clients were told about their writes, beside what a watch has shown. */
export interface Testimony {
  readonly acknowledged: readonly Write[]
  /** Those of which the store said that they were surely not applied. */
  readonly refused: readonly Write[]
  readonly unknown: readonly Write[]
  /** Reads that showed less than was acknowledged before they began. */
  readonly staleReads: readonly string[]
  readonly batches: readonly StoreBatch[]
  /** Longest time between two acknowledged writes, in milliseconds. */
  readonly longestGapMs: number
}

/**
 * Clients that write, read and watch without end, and write down what they were told.
 * Each value is written once, so that it can be recognised wherever it turns up.
 */
export class Witness {
  readonly #store: Store
  readonly #prefix: string
  readonly #stop = new AbortController()
  readonly #work: Promise<unknown>[] = []
  readonly #acknowledged: Write[] = []
  readonly #refused: Write[] = []
  readonly #unknown: Write[] = []
  readonly #staleReads: string[] = []
  readonly #batches: StoreBatch[] = []
  readonly #newest = new Map<string, number>()
  #lastAt = performance.now()
  #gap = 0

  constructor(store: Store, prefix: string) {
    this.#store = store
    this.#prefix = prefix
  }

  /** Acknowledged writes so far. */
  get count(): number {
    return this.#acknowledged.length
  }

  async start(writers: number): Promise<void> {
    const after = await this.#store.head()
    this.#lastAt = performance.now()
    for (let writer = 0; writer < writers; writer++) this.#work.push(this.#write(writer), this.#read(writer))
    this.#work.push(this.#watch(after))
  }

  /** Ends the clients and lets the watch catch up with the head. */
  async finish(): Promise<Testimony> {
    this.#stop.abort()
    await Promise.all(this.#work)
    const first = this.#batches.at(-1)?.revision
    const head = await this.#store.head()
    const late = AbortSignal.timeout(10_000)
    const last = this.#acknowledged.reduce((newest, { revision = 0 }) => Math.max(newest, revision), 0)
    if (first !== undefined && first < last) {
      for await (const batch of this.#store.watch(this.#prefix, { after: first, signal: late })) {
        this.#batches.push(batch)
        if (batch.revision >= Math.min(head, last)) break
      }
    }
    return {
      acknowledged: this.#acknowledged,
      refused: this.#refused,
      unknown: this.#unknown,
      staleReads: this.#staleReads,
      batches: this.#batches,
      longestGapMs: this.#gap,
    }
  }

  async #write(writer: number): Promise<void> {
    for (let i = 0; !this.#stop.signal.aborted; i++) {
      const write = { key: `${this.#prefix}${writer}/${i % 5}`, value: `${writer}-${i}` }
      try {
        const put = { type: 'put', key: write.key, value: Buffer.from(write.value) } as const
        const { revision } = await this.#store.commit({ conditions: [], writes: [put] })
        this.#acknowledged.push({ ...write, revision })
        this.#newest.set(write.key, revision)
        this.#gap = Math.max(this.#gap, performance.now() - this.#lastAt)
        this.#lastAt = performance.now()
      } catch (error) {
        if (isStoreError(error, 'STORE_UNAVAILABLE')) this.#refused.push(write)
        else if (isStoreError(error, 'STORE_OUTCOME_UNKNOWN')) this.#unknown.push(write)
        else throw error
        await pause(20)
      }
    }
  }

  async #read(writer: number): Promise<void> {
    for (let i = 0; !this.#stop.signal.aborted; i++) {
      const key = `${this.#prefix}${writer}/${i % 5}`
      const expected = this.#newest.get(key) ?? 0
      try {
        const { entry, revision } = await this.#store.get(key)
        if ((entry?.modRevision ?? 0) < expected || revision < expected) {
          this.#staleReads.push(`${key} at ${entry?.modRevision} of ${revision} after ${expected}`)
        }
      } catch (error) {
        if (!isStoreError(error, 'STORE_UNAVAILABLE')) throw error
      }
      await pause(10)
    }
  }

  async #watch(start: number): Promise<void> {
    let after = start
    while (!this.#stop.signal.aborted) {
      try {
        for await (const batch of this.#store.watch(this.#prefix, { after, signal: this.#stop.signal })) {
          after = batch.revision
          if (batch.events.length > 0) this.#batches.push(batch)
        }
      } catch (error) {
        if (!isStoreError(error, 'STORE_UNAVAILABLE')) throw error
        await pause(20)
      }
    }
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Every fault in a testimony, in words; none when nothing was lost, invented or told wrongly. */
export function faultsOf({ acknowledged, refused, unknown, staleReads, batches }: Testimony): readonly string[] {
  const faults = [...staleReads.map((read) => `stale read: ${read}`)]
  const seen = new Map<string, number>()
  let last = 0
  for (const { revision, events } of batches) {
    if (revision <= last) faults.push(`the watch went from revision ${last} to ${revision}`)
    last = revision
    for (const { key, value } of events) {
      const text = `${key}=${Buffer.from(value)}`
      if (seen.has(text)) faults.push(`${text} was applied twice`)
      seen.set(text, revision)
    }
  }
  const textOf = ({ key, value }: Write): string => `${key}=${value}`
  for (const write of acknowledged) {
    if (seen.get(textOf(write)) !== write.revision) {
      faults.push(`acknowledged ${textOf(write)} at ${write.revision}, seen at ${seen.get(textOf(write))}`)
    }
  }
  for (const write of refused) if (seen.has(textOf(write))) faults.push(`refused ${textOf(write)}, and yet it was applied`)
  const told = new Set([...acknowledged, ...unknown].map(textOf))
  for (const text of seen.keys())
    if (!told.has(text) && !refused.some((write) => textOf(write) === text)) faults.push(`nobody wrote ${text}`)
  return faults
}
