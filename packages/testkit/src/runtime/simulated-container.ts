import type { Writable } from 'node:stream'
import type { Clock } from '@continuo/core'
import type { ContainerSpec, LogOptions, RuntimeContainer } from '@continuo/workload'

/** What a simulated container does; chosen by its image. */
export interface SimulatedProgram {
  /** Ends by itself this long after its start. Unset: runs until it is stopped. Milliseconds. */
  readonly exitAfterMs?: number
  readonly exitCode?: number
  /** Time from the stop signal to its end; `Infinity` ignores the signal. Default 0. */
  readonly stopAfterMs?: number
  /** Lines that it writes at its start. */
  readonly output?: readonly string[]
  /** The same on its standard error, after those of `output`. */
  readonly errors?: readonly string[]
  /** Writes each line that an attached client sends. */
  readonly echo?: boolean
  /** It never starts: the sentence that the runtime gives for it. */
  readonly startFails?: string
  /** Answers exec. Default: exit code 0 without output. */
  exec?(command: readonly string[]): SimulatedAnswer
}

export interface SimulatedAnswer {
  readonly exitCode: number
  readonly stdout?: string
  readonly stderr?: string
  /** Copies what it reads, until the client closes its end. */
  readonly echo?: boolean
  /** How long it takes. Milliseconds; `Infinity`: until it is aborted. */
  readonly afterMs?: number
}

export interface SimulatedLine {
  readonly time: number
  readonly stream: 'Stdout' | 'Stderr'
  readonly text: string
}

/** Log lines that one container keeps. */
const maxLines = 10_000

/** One attempt of a container without a process. */
export class SimulatedContainer {
  readonly spec: ContainerSpec
  readonly program: SimulatedProgram
  readonly #clock: Clock
  readonly #changed: () => void
  readonly #lines: SimulatedLine[] = []
  readonly #readers = new Set<(line: SimulatedLine) => void>()
  readonly #waiters = new Set<() => void>()
  #state: RuntimeContainer

  constructor(spec: ContainerSpec, program: SimulatedProgram, clock: Clock, changed: () => void) {
    this.spec = spec
    this.program = program
    this.#clock = clock
    this.#changed = changed
    const now = clock.now()
    const { name, attempt, kind, image, hash } = spec
    const identity = {
      id: `simulated://${spec.sandbox}/${name}/${attempt}`,
      name,
      attempt,
      kind,
      image,
      imageId: `simulated:${image}`,
      hash,
      createdAt: now,
    }
    this.#state =
      program.startFails === undefined
        ? { ...identity, state: 'running', startedAt: now }
        : { ...identity, state: 'exited', finishedAt: now, exitCode: 128, message: program.startFails }
  }

  get state(): RuntimeContainer {
    return this.#state
  }

  get running(): boolean {
    return this.#state.state === 'running'
  }

  start(): void {
    for (const text of this.program.output ?? []) this.write(text, 'Stdout')
    for (const text of this.program.errors ?? []) this.write(text, 'Stderr')
    const { exitAfterMs, exitCode = 0 } = this.program
    if (this.running && exitAfterMs !== undefined) this.#clock.after(exitAfterMs, () => this.end(exitCode))
  }

  write(text: string, stream: SimulatedLine['stream'] = 'Stdout'): void {
    const line = { time: this.#clock.now(), stream, text }
    this.#lines.push(line)
    if (this.#lines.length > maxLines) this.#lines.shift()
    for (const read of this.#readers) read(line)
  }

  end(exitCode: number, signal?: number): void {
    if (!this.running) return
    this.#state = { ...this.#state, state: 'exited', exitCode, finishedAt: this.#clock.now(), ...(signal === undefined ? {} : { signal }) }
    for (const wake of [...this.#waiters]) wake()
    this.#changed()
  }

  /** Resolves when it has ended or the signal aborts. */
  ended(signal?: AbortSignal): Promise<void> {
    if (!this.running || signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      this.#waiters.add(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  async stop(graceMs: number, signal?: AbortSignal): Promise<void> {
    if (!this.running) return
    const needed = this.program.stopAfterMs ?? 0
    const wait = Math.min(needed, graceMs)
    if (wait > 0) await this.#waitForEnd(wait, signal)
    signal?.throwIfAborted()
    if (graceMs > 0 && needed <= graceMs) this.end(0)
    else this.end(137, 9)
  }

  /** Calls back for each line from now on, until the returned function is called. */
  follow(read: (line: SimulatedLine) => void): () => void {
    this.#readers.add(read)
    return () => void this.#readers.delete(read)
  }

  async logs(options: LogOptions, out: Writable, signal: AbortSignal): Promise<void> {
    const wanted = this.#lines.filter((line) => isWanted(line, options))
    const lines = options.tailLines === undefined ? wanted : wanted.slice(Math.max(0, wanted.length - options.tailLines))
    let left = options.limitBytes ?? Number.POSITIVE_INFINITY
    const put = (line: SimulatedLine): void => {
      const text = Buffer.from(`${options.timestamps ? `${new Date(line.time).toISOString()} ` : ''}${line.text}\n`)
      if (left > 0) out.write(text.subarray(0, left))
      left -= text.length
    }
    for (const line of lines) put(line)
    if (!options.follow || left <= 0) return
    const full = new AbortController()
    const stop = this.follow((line) => {
      if (!isWanted(line, options)) return
      put(line)
      if (left <= 0) full.abort()
    })
    await this.ended(AbortSignal.any([signal, full.signal]))
    stop()
  }

  async #waitForEnd(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const over = new AbortController()
    const enough = ms === Number.POSITIVE_INFINITY ? () => {} : this.#clock.after(ms, () => over.abort())
    await this.ended(signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]))
    enough()
  }
}

const isWanted = (line: SimulatedLine, { stream = 'All', since }: LogOptions): boolean =>
  (stream === 'All' || stream === line.stream) && (since === undefined || line.time >= since)
