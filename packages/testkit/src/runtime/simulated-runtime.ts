import type { Duplex, Writable } from 'node:stream'
import type { Clock } from '@continuo/core'
import {
  type ContainerRef,
  type ContainerSpec,
  type ContainerStats,
  type ImageState,
  type LogOptions,
  type ProcessStreams,
  type ResourceLimits,
  type Runtime,
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvent,
  type RuntimeSandbox,
  type SandboxSpec,
} from '@continuo/workload'

/** What a simulated container does; chosen by its image. */
export interface SimulatedProgram {
  /** Ends by itself this long after its start. Unset: runs until it is stopped. Milliseconds. */
  readonly exitAfterMs?: number
  readonly exitCode?: number
  /** Time from the stop signal to its end; `Infinity` ignores the signal. Default 0. */
  readonly stopAfterMs?: number
  /** Lines that it writes at its start. */
  readonly output?: readonly string[]
  /** Answers exec. Default: exit code 0 without output. */
  exec?(command: readonly string[]): { readonly exitCode: number; readonly stdout?: string }
}

export interface SimulatedRuntimeOptions {
  readonly clock: Clock
  /** Programs by image; every other image runs until stopped. */
  readonly programs?: Readonly<Record<string, SimulatedProgram>>
  /** Images that cannot be pulled. */
  readonly missingImages?: ReadonlySet<string>
  /** First two bytes of the addresses that sandboxes get. Default `10.244`. */
  readonly network?: string
}

interface Simulated {
  state: RuntimeContainer
  readonly spec: ContainerSpec
  readonly lines: { readonly time: number; readonly text: string }[]
  readonly waiters: (() => void)[]
}

interface Sandbox {
  readonly spec: SandboxSpec
  readonly ip: string
  readonly createdAt: number
  readonly containers: Map<string, Simulated>
}

/**
 * A runtime without processes, on the injected clock: for tests of everything above the runtime, for clusters of thousands of nodes
 * in one process, and for runs that a seed reproduces. It passes the runtime suite.
 */
export class SimulatedRuntime implements Runtime {
  readonly name = 'simulated'
  readonly version = '1.0.0'
  readonly features = { pull: true, rootFilesystem: true, networkNamespace: true, resize: true }
  readonly #options: SimulatedRuntimeOptions
  readonly #sandboxes = new Map<string, Sandbox>()
  readonly #pulled = new Set<string>()
  readonly #listeners = new Set<(event: RuntimeEvent) => void>()
  #nextAddress = 2

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options
  }

  async ensureSandbox(spec: SandboxSpec): Promise<RuntimeSandbox> {
    let sandbox = this.#sandboxes.get(spec.uid)
    if (sandbox === undefined) {
      const number = this.#nextAddress++
      sandbox = {
        spec,
        ip: `${this.#options.network ?? '10.244'}.${(number >> 8) & 255}.${number & 255}`,
        createdAt: this.#options.clock.now(),
        containers: new Map(),
      }
      this.#sandboxes.set(spec.uid, sandbox)
      this.#tell({ sandbox: spec.uid })
    }
    return view(sandbox)
  }

  async ensureContainer(spec: ContainerSpec): Promise<RuntimeContainer> {
    const sandbox = this.#sandbox(spec.sandbox)
    const key = `${spec.name}/${spec.attempt}`
    const known = sandbox.containers.get(key)
    if (known !== undefined) return known.state
    if (!(await this.imagePresent(spec.image)))
      throw new RuntimeError('RUNTIME_IMAGE_NOT_PRESENT', `image ${JSON.stringify(spec.image)} is not present`)
    const now = this.#options.clock.now()
    const program = this.#program(spec.image)
    const container: Simulated = {
      spec,
      lines: (program.output ?? []).map((text) => ({ time: now, text })),
      waiters: [],
      state: {
        id: `simulated://${spec.sandbox}/${key}`,
        name: spec.name,
        attempt: spec.attempt,
        kind: spec.kind,
        image: spec.image,
        imageId: `simulated:${spec.image}`,
        hash: spec.hash,
        state: 'running',
        createdAt: now,
        startedAt: now,
      },
    }
    sandbox.containers.set(key, container)
    if (program.exitAfterMs !== undefined) this.#options.clock.after(program.exitAfterMs, () => this.#end(container, program.exitCode ?? 0))
    this.#tell({ sandbox: spec.sandbox, container: spec.name })
    return container.state
  }

  async stop(ref: ContainerRef, graceMs: number, signal?: AbortSignal): Promise<void> {
    const container = this.#find(ref)
    if (container === undefined || container.state.state !== 'running') return
    const needed = this.#program(container.spec.image).stopAfterMs ?? 0
    const wait = Math.min(needed, graceMs)
    if (wait > 0)
      await Promise.race([this.#options.clock.sleep(wait, signal), new Promise<void>((resolve) => container.waiters.push(resolve))])
    signal?.throwIfAborted()
    if (needed <= graceMs) this.#end(container, 0)
    else this.#end(container, 137, 9)
  }

  async removeContainer(ref: ContainerRef & { readonly attempt: number }): Promise<void> {
    const container = this.#find(ref)
    if (container?.state.state === 'running') this.#end(container, 137, 9)
    this.#sandboxes.get(ref.sandbox)?.containers.delete(`${ref.name}/${ref.attempt}`)
  }

  async removeSandbox(uid: string): Promise<void> {
    for (const container of this.#sandboxes.get(uid)?.containers.values() ?? [])
      if (container.state.state === 'running') this.#end(container, 137, 9)
    if (this.#sandboxes.delete(uid)) this.#tell({ sandbox: uid })
  }

  async list(): Promise<readonly RuntimeSandbox[]> {
    return [...this.#sandboxes.values()].map(view)
  }

  async *events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const waiting: RuntimeEvent[] = []
    let wake: () => void = () => {}
    const listener = (event: RuntimeEvent): void => {
      // Events are hints: with a thousand unread ones, one more says nothing new.
      if (waiting.length < 1_000) waiting.push(event)
      wake()
    }
    this.#listeners.add(listener)
    const stop = (): void => wake()
    signal.addEventListener('abort', stop, { once: true })
    try {
      while (!signal.aborted) {
        const next = waiting.shift()
        if (next !== undefined) yield next
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      signal.removeEventListener('abort', stop)
      this.#listeners.delete(listener)
    }
  }

  async logs(ref: ContainerRef, options: LogOptions, out: Writable, signal: AbortSignal): Promise<void> {
    const container = this.#existing(ref)
    const lines = container.lines.filter((line) => options.since === undefined || line.time >= options.since)
    for (const line of options.tailLines === undefined ? lines : lines.slice(Math.max(0, lines.length - options.tailLines))) {
      out.write(`${options.timestamps ? `${new Date(line.time).toISOString()} ` : ''}${line.text}\n`)
    }
    if (options.follow) await this.#ended(container, signal)
  }

  async exec(ref: ContainerRef, command: readonly string[], streams: ProcessStreams): Promise<number> {
    const container = this.#existing(ref)
    if (container.state.state !== 'running') throw new RuntimeError('RUNTIME_NOT_FOUND', `container ${ref.name} does not run`)
    const result = this.#program(container.spec.image).exec?.(command) ?? { exitCode: 0 }
    if (result.stdout !== undefined) streams.stdout?.write(result.stdout)
    streams.stdout?.end()
    if (streams.stderr !== streams.stdout) streams.stderr?.end()
    return result.exitCode
  }

  async attach(ref: ContainerRef, streams: ProcessStreams, signal: AbortSignal): Promise<void> {
    await this.#ended(this.#existing(ref), signal)
    streams.stdout?.end()
    streams.stderr?.end()
  }

  async portForward(sandbox: string, port: number): Promise<Duplex> {
    this.#sandbox(sandbox)
    throw new RuntimeError('RUNTIME_UNSUPPORTED', `nothing listens on port ${port}: simulated containers have no network`)
  }

  async stats(sandbox: string): Promise<readonly ContainerStats[]> {
    const time = this.#options.clock.now()
    return [...this.#sandbox(sandbox).containers.values()]
      .filter((container) => container.state.state === 'running')
      .map((container) => ({ container: container.spec.name, time, cpuNanoseconds: 0, memoryWorkingSetBytes: 0, memoryRssBytes: 0 }))
  }

  async updateResources(ref: ContainerRef, _resources: ResourceLimits): Promise<void> {
    this.#existing(ref)
  }

  async images(): Promise<readonly ImageState[]> {
    return [...this.#pulled].map((image) => ({ id: `simulated:${image}`, tags: [image], bytes: 0 }))
  }

  async imagePresent(image: string): Promise<boolean> {
    return this.#pulled.has(image)
  }

  async pullImage(image: string): Promise<string> {
    if (this.#options.missingImages?.has(image) === true)
      throw new RuntimeError('RUNTIME_IMAGE_PULL', `failed to pull image ${JSON.stringify(image)}: not found`)
    this.#pulled.add(image)
    return `simulated:${image}`
  }

  async removeImage(image: string): Promise<void> {
    this.#pulled.delete(image)
  }

  async check(): Promise<void> {}

  /** Ends a container as a crash would. For tests. */
  crash(ref: ContainerRef, exitCode: number): void {
    const container = this.#find(ref)
    if (container !== undefined) this.#end(container, exitCode)
  }

  #program(image: string): SimulatedProgram {
    return this.#options.programs?.[image] ?? {}
  }

  #sandbox(uid: string): Sandbox {
    const sandbox = this.#sandboxes.get(uid)
    if (sandbox === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `there is no sandbox ${uid}`)
    return sandbox
  }

  #find(ref: ContainerRef): Simulated | undefined {
    const attempts = [...(this.#sandboxes.get(ref.sandbox)?.containers.values() ?? [])].filter(
      (container) => container.spec.name === ref.name && (ref.attempt === undefined || container.spec.attempt === ref.attempt),
    )
    return attempts.sort((a, b) => b.spec.attempt - a.spec.attempt)[0]
  }

  #existing(ref: ContainerRef): Simulated {
    const container = this.#find(ref)
    if (container === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `there is no container ${ref.name} in sandbox ${ref.sandbox}`)
    return container
  }

  #ended(container: Simulated, signal: AbortSignal): Promise<void> {
    if (container.state.state !== 'running' || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      container.waiters.push(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  #end(container: Simulated, exitCode: number, signal?: number): void {
    if (container.state.state !== 'running') return
    container.state = { ...container.state, state: 'exited', exitCode, signal, finishedAt: this.#options.clock.now() }
    for (const wake of container.waiters.splice(0)) wake()
    this.#tell({ sandbox: container.spec.sandbox, container: container.spec.name })
  }

  #tell(event: RuntimeEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

const view = ({ spec, ip, createdAt, containers }: Sandbox): RuntimeSandbox => ({
  id: `simulated://${spec.uid}`,
  uid: spec.uid,
  namespace: spec.namespace,
  name: spec.name,
  state: 'ready',
  ips: [ip],
  createdAt,
  containers: [...containers.values()].map((container) => container.state),
})
