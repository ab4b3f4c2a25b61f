import type { Clock, Counter, Log } from '@continuo/core'

export interface LineQueueOptions {
  /** Lines that may wait. */
  readonly maxLines: number
  /** Characters that may wait. */
  readonly maxLength: number
  readonly clock: Clock
  readonly log: Log
  readonly dropped: Counter
  readonly errors: Counter
  /** Writes whole lines. Rejects when it cannot; it is tried again. */
  readonly write: (text: string) => Promise<void>
}

/** Time that lines gather before they are written together. */
const gatherMs = 100
/** Time until a write that failed is tried again. */
const retryMs = 1_000
const batchLength = 1_048_576

/**
 * Lines on their way to where they are kept. Taking one never waits; at the bound it is dropped and counted.
 * A write that fails is told once, then tried again until it works, which is told too.
 */
export class LineQueue {
  readonly #options: LineQueueOptions
  #lines: string[] = []
  #length = 0
  #isWriting = false
  #isWaiting = false
  #isBroken = false

  constructor(options: LineQueueOptions) {
    this.#options = options
  }

  get isFull(): boolean {
    return this.#lines.length >= this.#options.maxLines || this.#length >= this.#options.maxLength
  }

  push(line: string): void {
    if (this.isFull) {
      this.#options.dropped.inc()
      return
    }
    this.#lines.push(line)
    this.#length += line.length + 1
    if (!this.#isWriting) this.#writeAfter(gatherMs)
  }

  /** Writes what waits, once; what cannot be written is lost with the process. */
  async close(): Promise<void> {
    while (this.#lines.length > 0 && (await this.#writeBatch())) {}
  }

  #writeAfter(ms: number): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#options.clock.after(ms, () => {
      this.#isWaiting = false
      void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    if (this.#isWriting) return
    this.#isWriting = true
    while (this.#lines.length > 0 && (await this.#writeBatch())) {}
    this.#isWriting = false
    if (this.#lines.length > 0) this.#writeAfter(retryMs)
  }

  async #writeBatch(): Promise<boolean> {
    let text = ''
    let count = 0
    while (count < this.#lines.length && text.length < batchLength) text += `${this.#lines[count++]}\n`
    const { write, errors, log } = this.#options
    try {
      await write(text)
    } catch (error) {
      errors.inc()
      if (!this.#isBroken) log.error({ error, waiting: this.#lines.length }, 'the audit log cannot be written; requests go on')
      this.#isBroken = true
      return false
    }
    this.#lines = this.#lines.slice(count)
    this.#length -= text.length
    if (this.#isBroken) log.info({ waiting: this.#lines.length }, 'the audit log is written again')
    this.#isBroken = false
    return true
  }
}
