import { Worker } from 'node:worker_threads'
import { ApiError, type Clock, type Parsed, parseJson } from '@continuo/core'

/** A document to be parsed. */
export interface YamlQuestion {
  readonly bytes: Uint8Array
  readonly maxBytes: number
}

/** What became of it. */
export type YamlAnswer =
  | { readonly json: string; readonly duplicates: readonly string[]; readonly refused?: undefined }
  | { readonly refused: { readonly reason: ApiError['reason']; readonly message: string; readonly status: number } }

/** Documents up to this size are parsed on the spot: some 40 ms at worst. */
const smallBytes = 64 * 1024
const timeoutMs = 15_000
const maxWaiting = 64
const maxHeapMb = 512

const isTs = import.meta.url.endsWith('.ts')
const script = new URL(isTs ? './yaml-worker.ts' : './yaml-worker.js', import.meta.url)

/** True for what {@link YamlThread} is for: large, and no JSON, which is YAML too but is read fast. Pure. */
export function isLargeYaml(bytes: Uint8Array): boolean {
  if (bytes.length <= smallBytes) return false
  let at = 0
  while (at < bytes.length && (bytes[at] as number) <= 0x20) at++
  return bytes[at] !== 0x7b && bytes[at] !== 0x5b
}

/**
 * Parses large YAML in a thread of its own: the parser takes some 600 µs for each KiB, and nobody else would be served meanwhile.
 * One document at a time; the thread begins with the first, and one that takes too long ends with it.
 */
export class YamlThread {
  readonly #clock: Clock
  #worker: Worker | undefined
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Throws `ApiError`: what `parseYaml` throws, 429 when too many wait, 400 for a document that takes too long. */
  async parse(bytes: Uint8Array, maxBytes: number): Promise<Parsed> {
    if (this.#waiting >= maxWaiting)
      throw new ApiError('TooManyRequests', 'too many large YAML documents are waiting to be read: send JSON', { retryAfterSeconds: 1 })
    this.#waiting++
    const turn = this.#last.then(() => this.#ask({ bytes, maxBytes }))
    this.#last = turn.catch(() => {})
    try {
      const answer = await turn
      if (answer.refused !== undefined) {
        const { reason, message, status } = answer.refused
        throw new ApiError(reason, message, undefined, { status })
      }
      const { value } = parseJson(Buffer.from(answer.json), { maxBytes: Number.POSITIVE_INFINITY })
      return { value, duplicates: answer.duplicates }
    } finally {
      this.#waiting--
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
  }

  #ask(question: YamlQuestion): Promise<YamlAnswer> {
    const worker = this.#worker ?? this.#start()
    return new Promise((resolve, reject) => {
      const done = (): void => {
        cancel()
        worker.off('message', onMessage).off('error', onEnd).off('exit', onEnd)
      }
      const onMessage = (answer: YamlAnswer): void => {
        done()
        resolve(answer)
      }
      const onEnd = (cause: unknown): void => {
        done()
        this.#worker = undefined
        reject(new ApiError('BadRequest', 'the YAML document could not be read: send it as JSON', undefined, { cause }))
      }
      const cancel = this.#clock.after(timeoutMs, () => {
        void worker.terminate()
        onEnd(`it took longer than ${timeoutMs / 1000} s`)
      })
      worker.on('message', onMessage).on('error', onEnd).on('exit', onEnd)
      worker.postMessage(question)
    })
  }

  #start(): Worker {
    const worker = new Worker(script, {
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
      // From source, siblings are read as source, too.
      ...(isTs ? { execArgv: ['--conditions=@continuo/source'] } : {}),
    })
    worker.unref()
    this.#worker = worker
    return worker
  }
}
