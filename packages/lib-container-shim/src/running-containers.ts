import type { Clock, Log } from '@continuo/core'
import { isRuntimeError } from '@continuo/workload'
import { attachContainer } from './shim-connection.ts'

interface Watched {
  readonly ended: Promise<void>
  readonly abort: AbortController
}

/** How long we wait before we believe that a shim which does not answer has ended. */
const retryMs = 100

/**
 * Notices the end of running containers at once: it keeps a connection without streams to each shim, which closes when the
 * container has ended or the shim was killed. One connection for each running container; none is a source of truth.
 */
export class RunningContainers {
  readonly #watched = new Map<string, Watched>()
  readonly #clock: Clock
  readonly #log: Log
  readonly #onEnd: (path: string) => void

  constructor(clock: Clock, log: Log, onEnd: (path: string) => void) {
    this.#clock = clock
    this.#log = log
    this.#onEnd = onEnd
  }

  /** Watches the container whose shim lives in `path`; once, however often it is called. Resolves when it has ended. */
  watch(path: string): Promise<void> {
    const known = this.#watched.get(path)
    if (known !== undefined) return known.ended
    const abort = new AbortController()
    const ended = this.#follow(path, abort.signal).finally(() => {
      this.#watched.delete(path)
      if (!abort.signal.aborted) this.#onEnd(path)
    })
    this.#watched.set(path, { ended, abort })
    return ended
  }

  /** Gives up all connections; the containers run on. */
  close(): void {
    for (const { abort } of this.#watched.values()) abort.abort()
  }

  async #follow(path: string, signal: AbortSignal): Promise<void> {
    try {
      await attachContainer(path, { tty: false }, signal)
    } catch (error) {
      if (signal.aborted) return
      if (!isRuntimeError(error, 'RUNTIME_NOT_FOUND')) this.#log.warn({ path, err: error }, 'lost the connection to a container')
      await this.#clock.sleep(retryMs, signal).catch(() => {})
    }
  }
}
