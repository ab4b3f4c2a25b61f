import type { LogOptions } from '@continuo/workload'
import type { Frame } from '../daemon/frames.ts'

const lineFeed = 0x0a
const space = 0x20

/**
 * Cuts a log to its limit and puts a time before each line only: the daemon splits lines of more than 16 KB, and puts a time before each
 * part.
 */
export class LogLines {
  readonly #timestamps: boolean
  #left: number
  /** Streams whose last frame did not end its line. */
  readonly #open = new Set<Frame['stream']>()

  constructor({ timestamps, limitBytes }: Pick<LogOptions, 'timestamps' | 'limitBytes'>) {
    this.#timestamps = timestamps
    this.#left = limitBytes ?? Number.POSITIVE_INFINITY
  }

  /** The limit has been reached: nothing more will come. */
  get full(): boolean {
    return this.#left <= 0
  }

  push({ stream, data }: Frame): Buffer {
    const whole = this.#timestamps && this.#open.has(stream) ? data.subarray(data.indexOf(space) + 1) : data
    if (data.at(-1) === lineFeed) this.#open.delete(stream)
    else this.#open.add(stream)
    const shown = whole.subarray(0, Math.min(whole.length, Math.max(0, this.#left)))
    this.#left -= shown.length
    return shown
  }
}
