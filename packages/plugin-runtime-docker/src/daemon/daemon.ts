import type { Duplex, Readable } from 'node:stream'
import type { Clock } from '@continuo/core'
import type { RuntimeErrorCode } from '@continuo/workload'
import Dockerode from 'dockerode'
import { runtimeError, statusOf } from './daemon-error.ts'

export type { ContainerCreateOptions, ContainerInfo, ContainerInspectInfo, ContainerStats, ImageInspectInfo } from 'dockerode'

/** How a call is told of and what its failure means. */
export interface CallOptions {
  readonly code?: RuntimeErrorCode
  readonly hint?: string
  readonly deadlineMs?: number
}

interface Dial {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly signal?: AbortSignal
}

const deadlineMs = 120_000

const statusCodes = { 101: true, 200: true, 400: 'bad parameter', 404: 'not found', 409: 'conflict', 500: 'server error' }

/**
 * The way to dockerd. Each call has a connection of its own, so a daemon that was restarted is found again by the next one. Failures are
 * `RuntimeError`s that name what could not be done.
 */
export class Daemon {
  readonly docker: Dockerode
  readonly #clock: Clock

  constructor(socket: string, clock: Clock) {
    // `host` keeps DOCKER_HOST of the environment from leading us to another daemon.
    this.docker = new Dockerode({ socketPath: socket, host: undefined, protocol: 'http' })
    this.#clock = clock
  }

  /**
   * Asks the daemon, at most so long. A refusal is an error with `code`, by default `RUNTIME_UNAVAILABLE`.
   * @param what Completes "cannot …".
   */
  async call<T>(what: string, ask: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>, options: CallOptions = {}): Promise<T> {
    const late = new AbortController()
    const cancel = this.#clock.after(options.deadlineMs ?? deadlineMs, () => late.abort())
    const silence = new Promise<never>((_, reject) => late.signal.addEventListener('abort', () => reject(late.signal.reason)))
    try {
      // Not every call of dockerode takes the signal.
      return await Promise.race([ask(this.docker, late.signal), silence])
    } catch (error) {
      throw runtimeError(error, what, options.code ?? 'RUNTIME_UNAVAILABLE', options.hint)
    } finally {
      cancel()
    }
  }

  /** As {@link call}, with undefined for what is not there. */
  async find<T>(what: string, ask: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    return this.call(what, (docker, signal) =>
      ask(docker, signal).catch((error: unknown) => {
        if (statusOf(error) === 404) return undefined
        throw error
      }),
    )
  }

  /** An answer as it comes: logs, events, progress. */
  stream(what: string, dial: Dial, code: RuntimeErrorCode = 'RUNTIME_UNAVAILABLE'): Promise<Readable> {
    return this.#dial(what, dial, code, false) as Promise<Readable>
  }

  /** A connection in both directions, which the answer has turned into. */
  hijack(what: string, dial: Dial, code: RuntimeErrorCode = 'RUNTIME_UNAVAILABLE'): Promise<Duplex> {
    return this.#dial(what, dial, code, true)
  }

  async #dial(what: string, { method, path, query = {}, body, signal }: Dial, code: RuntimeErrorCode, hijack: boolean): Promise<Duplex> {
    try {
      return await new Promise((resolve, reject) => {
        const done = (error: unknown, stream: unknown): void => (error ? reject(error) : resolve(stream as Duplex))
        const asked = Object.keys(query).length === 0 ? { path } : { path: `${path}?` }
        // An upgraded request must say that its body is empty: a chunked one would be taken for input.
        const empty = hijack && body === undefined ? { file: Buffer.alloc(0), headers: { 'Content-Type': 'text/plain' } } : {}
        const options = { _query: query, _body: body ?? {} }
        const target = { ...asked, ...empty, method, options, isStream: true, hijack, openStdin: false, statusCodes }
        this.docker.modem.dial({ ...target, ...(signal === undefined ? {} : { abortSignal: signal }) } as never, done as never)
      })
    } catch (error) {
      throw runtimeError(error, what, code)
    }
  }
}
