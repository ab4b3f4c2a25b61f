import { formatCriTime, parseCriLine } from './cri-line.ts'

/** What a reader wants to see of a log. */
export interface LogViewOptions {
  readonly timestamps?: boolean
  /** Wall milliseconds; earlier records are skipped. */
  readonly since?: number
  readonly stream?: 'stdout' | 'stderr'
  /** Ends after so many bytes, in the middle of a line if need be. */
  readonly limitBytes?: number
}

/** Longest line that is kept while its end has not been seen; the writer's are shorter. */
const maxLine = 256 * 1024

const lineFeed = 0x0a

/**
 * Turns the bytes of a CRI log into what `kubectl logs` shows, chunk by chunk. A time stands before each line, not before each
 * part of a long one. What is not a CRI record is shown as it is.
 */
export class LogView {
  readonly #options: LogViewOptions
  readonly #since: string
  #rest: Buffer = Buffer.alloc(0)
  #left: number
  /** Streams whose last record was partial. */
  readonly #open = new Set<string>()

  constructor(options: LogViewOptions = {}) {
    this.#options = options
    this.#since = options.since === undefined ? '' : formatCriTime(options.since)
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY
  }

  /** The limit has been reached: nothing more will come. */
  get full(): boolean {
    return this.#left <= 0
  }

  /** Takes the next bytes of the log and returns what they show. */
  push(chunk: Buffer): Buffer {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const shown: Buffer[] = []
    let at = 0
    for (let end = data.indexOf(lineFeed); end >= 0; end = data.indexOf(lineFeed, at)) {
      this.#show(data.subarray(at, end), shown)
      at = end + 1
    }
    this.#rest = data.length - at > maxLine ? Buffer.alloc(0) : Buffer.from(data.subarray(at))
    const all = Buffer.concat(shown)
    const allowed = all.subarray(0, Math.max(0, Math.min(all.length, this.#left)))
    this.#left -= allowed.length
    return allowed
  }

  #show(line: Buffer, into: Buffer[]): void {
    const record = parseCriLine(line)
    if (record === undefined) {
      into.push(line, newline)
      return
    }
    if (record.time < this.#since || (this.#options.stream !== undefined && record.stream !== this.#options.stream)) return
    if (this.#options.timestamps === true && !this.#open.has(record.stream)) into.push(Buffer.from(`${record.time} `))
    into.push(record.text)
    if (record.partial) this.#open.add(record.stream)
    else {
      this.#open.delete(record.stream)
      into.push(newline)
    }
  }
}

const newline = Buffer.from('\n')
