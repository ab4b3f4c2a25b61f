import type { StoreBatch } from './store.ts'
import { StoreError } from './store-error.ts'

export interface EventFeedOptions {
  /** The newest revision when the feed begins. */
  readonly head: number
  /** Batches that are kept for watchers which read behind. Default 4,096. */
  readonly maxBatches?: number
  /** Bytes of values that are kept for them. Default 32 MiB. */
  readonly maxBytes?: number
}

export interface FeedWatch {
  readonly after: number
  readonly signal: AbortSignal
  /** Reads the next whole batches behind a revision that the feed no longer holds: at least one. Throws `STORE_COMPACTED`. */
  backfill(after: number): readonly StoreBatch[] | Promise<readonly StoreBatch[]>
}

const batchBytes = ({ events }: StoreBatch): number =>
  events.reduce((sum, event) => sum + 64 + event.value.byteLength + (event.previous?.value.byteLength ?? 0), 64)

/**
 * The watches of a store, for its implementers: keeps the latest batches once for all watchers, each of which is only a position.
 * A watcher that starts further back is served from history until it arrives; one that had arrived and then fell
 * behind what is kept ends with `STORE_SLOW_CONSUMER`.
 */
export class EventFeed {
  readonly #maxBatches: number
  readonly #maxBytes: number
  readonly #waiting = new Set<() => void>()
  #batches: StoreBatch[] = []
  /** Index of the first batch that is kept; those before it are cut off now and then. */
  #first = 0
  #bytes = 0
  /** Every batch above this revision is kept. */
  #oldest: number
  #head: number
  #failure: StoreError | undefined

  constructor({ head, maxBatches = 4_096, maxBytes = 32 << 20 }: EventFeedOptions) {
    this.#head = head
    this.#oldest = head
    this.#maxBatches = maxBatches
    this.#maxBytes = maxBytes
  }

  /** Revision of the latest batch. */
  get head(): number {
    return this.#head
  }

  /** Adds the batch of the next revision and wakes the watchers that have arrived. */
  append(batch: StoreBatch): void {
    this.#batches.push(batch)
    this.#bytes += batchBytes(batch)
    this.#head = batch.revision
    while (
      this.#batches.length - this.#first > this.#maxBatches ||
      (this.#bytes > this.#maxBytes && this.#batches.length - this.#first > 1)
    )
      this.#drop()
    if (this.#first > 1_024 && this.#first * 2 > this.#batches.length) {
      this.#batches = this.#batches.slice(this.#first)
      this.#first = 0
    }
    this.#wake()
  }

  /** Ends every watch, now and later, with the error. */
  fail(error: StoreError): void {
    this.#failure ??= error
    this.#batches = []
    this.#wake()
  }

  async *watch(prefix: string, { after, signal, backfill }: FeedWatch): AsyncGenerator<StoreBatch, void, undefined> {
    let position = after
    let arrived = false
    while (!signal.aborted) {
      if (this.#failure !== undefined) throw this.#failure
      if (position >= this.#oldest) arrived = true
      if (position >= this.#head) {
        await this.#changed(signal)
        continue
      }
      if (position < this.#oldest && arrived) {
        throw new StoreError(
          'STORE_SLOW_CONSUMER',
          `the watch of ${JSON.stringify(prefix)} stands at revision ${position}, the oldest that is kept is ${this.#oldest}`,
          {
            hint: 'Resume from the last revision that was seen.',
          },
        )
      }
      for (const batch of position < this.#oldest ? await backfill(position) : this.#after(position)) {
        if (signal.aborted) return
        position = batch.revision
        const visible = underPrefix(batch, prefix)
        if (visible !== undefined) yield visible
      }
    }
  }

  /** Some batches behind the position: a copy of few references, because the consumer takes its time. */
  #after(position: number): readonly StoreBatch[] {
    let low = this.#first
    let high = this.#batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#batches[middle] as StoreBatch).revision <= position) low = middle + 1
      else high = middle
    }
    return this.#batches.slice(low, low + 16)
  }

  #drop(): void {
    const batch = this.#batches[this.#first] as StoreBatch
    this.#batches[this.#first++] = emptyBatch
    this.#bytes -= batchBytes(batch)
    this.#oldest = batch.revision
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  async #changed(signal: AbortSignal): Promise<void> {
    let wake = (): void => {}
    const changed = new Promise<void>((resolve) => {
      wake = resolve
    })
    this.#waiting.add(wake)
    signal.addEventListener('abort', wake, { once: true })
    try {
      await changed
    } finally {
      this.#waiting.delete(wake)
      signal.removeEventListener('abort', wake)
    }
  }
}

const emptyBatch: StoreBatch = { revision: 0, events: [] }

/** The part of a batch below a prefix, or nothing. */
function underPrefix(batch: StoreBatch, prefix: string): StoreBatch | undefined {
  if (prefix === '') return batch
  const events = batch.events.filter(({ key }) => key.startsWith(prefix))
  if (events.length === 0) return undefined
  return events.length === batch.events.length ? batch : { revision: batch.revision, events }
}
