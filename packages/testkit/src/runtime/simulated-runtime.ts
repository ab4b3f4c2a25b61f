import type { Duplex, Writable } from 'node:stream'
import type { Clock } from '@continuo/core'
import {
  type ContainerRef,
  type ContainerSpec,
  type ContainerStats,
  type ImageState,
  type LogOptions,
  type ProcessStreams,
  type RegistryAuth,
  type ResourceLimits,
  type Runtime,
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvent,
  type RuntimeSandbox,
  type SandboxSpec,
} from '@continuo/workload'
import { SimulatedContainer, type SimulatedProgram } from './simulated-container.ts'

export interface SimulatedRuntimeOptions {
  readonly clock: Clock
  /** Programs by image; every other image runs until stopped. */
  readonly programs?: Readonly<Record<string, SimulatedProgram>>
  /** Images that cannot be pulled. */
  readonly missingImages?: ReadonlySet<string>
  /** How long each pull takes. Default: no time. Milliseconds. */
  readonly pullMs?: number
  /** First two bytes of the addresses that sandboxes get. Default `10.244`. */
  readonly network?: string
  /** Address of sandboxes on the host's network. Default `127.0.0.1`. */
  readonly hostAddress?: string
}

interface Sandbox {
  readonly spec: SandboxSpec
  readonly ip: string
  readonly createdAt: number
  readonly containers: Map<string, SimulatedContainer>
  broken: boolean
}

/** Events that a slow reader may leave unread: they are hints, and with so many unread one more says nothing new. */
const maxUnread = 1_000

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
  readonly #pulled = new Map<string, RegistryAuth | undefined>()
  readonly #listeners = new Set<(event: RuntimeEvent) => void>()
  readonly #freed: number[] = []
  #nextAddress = 2

  /** For tests: while it is set, the runtime answers nothing but `RUNTIME_UNAVAILABLE` with this sentence. */
  unavailable: string | undefined

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options
  }

  async ensureSandbox(spec: SandboxSpec, signal?: AbortSignal): Promise<RuntimeSandbox> {
    signal?.throwIfAborted()
    this.#available()
    let sandbox = this.#sandboxes.get(spec.uid)
    if (sandbox === undefined) {
      const ip = spec.hostNetwork ? (this.#options.hostAddress ?? '127.0.0.1') : this.#allocate()
      sandbox = { spec, ip, createdAt: this.#options.clock.now(), containers: new Map(), broken: false }
      this.#sandboxes.set(spec.uid, sandbox)
      this.#tell({ sandbox: spec.uid })
    }
    return view(sandbox)
  }

  async ensureContainer(spec: ContainerSpec, signal?: AbortSignal): Promise<RuntimeContainer> {
    signal?.throwIfAborted()
    this.#available()
    const sandbox = this.#sandbox(spec.sandbox)
    const key = `${spec.name}/${spec.attempt}`
    const known = sandbox.containers.get(key)
    if (known !== undefined) return known.state
    if (!(await this.imagePresent(spec.image)))
      throw new RuntimeError('RUNTIME_IMAGE_NOT_PRESENT', `image ${JSON.stringify(spec.image)} is not present`)
    const container = new SimulatedContainer(spec, this.#program(spec.image), this.#options.clock, () =>
      this.#tell({ sandbox: spec.sandbox, container: spec.name }),
    )
    sandbox.containers.set(key, container)
    container.start()
    this.#tell({ sandbox: spec.sandbox, container: spec.name })
    return container.state
  }

  async stop(ref: ContainerRef, graceMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.#available()
    await this.#existing(ref).stop(graceMs, signal)
  }

  async removeContainer(ref: ContainerRef & { readonly attempt: number }): Promise<void> {
    this.#available()
    this.#find(ref)?.end(137, 9)
    this.#sandboxes.get(ref.sandbox)?.containers.delete(`${ref.name}/${ref.attempt}`)
  }

  async removeSandbox(uid: string): Promise<void> {
    this.#available()
    const sandbox = this.#sandboxes.get(uid)
    if (sandbox === undefined) return
    for (const container of sandbox.containers.values()) container.end(137, 9)
    this.#sandboxes.delete(uid)
    if (!sandbox.spec.hostNetwork) this.#freed.push(numberOf(sandbox.ip))
    this.#tell({ sandbox: uid })
  }

  async list(): Promise<readonly RuntimeSandbox[]> {
    this.#available()
    return [...this.#sandboxes.values()].map(view)
  }

  async *events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const waiting: RuntimeEvent[] = []
    let wake: () => void = () => {}
    const listener = (event: RuntimeEvent): void => {
      if (waiting.length < maxUnread) waiting.push(event)
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
    const container = options.previous && ref.attempt === undefined ? this.#previous(ref) : this.#existing(ref)
    await container.logs(options, out, signal)
  }

  async exec(ref: ContainerRef, command: readonly string[], streams: ProcessStreams, signal: AbortSignal): Promise<number> {
    const answer = this.#running(ref).program.exec?.(command) ?? { exitCode: 0 }
    try {
      if (answer.afterMs !== undefined) await this.#take(answer.afterMs, signal)
      signal.throwIfAborted()
      if (answer.stdout !== undefined) streams.stdout?.write(answer.stdout)
      if (answer.stderr !== undefined) streams.stderr?.write(answer.stderr)
      if (answer.echo === true) for await (const chunk of streams.stdin ?? []) streams.stdout?.write(chunk)
      return answer.exitCode
    } finally {
      streams.stdout?.end()
      streams.stderr?.end()
    }
  }

  async attach(ref: ContainerRef, streams: ProcessStreams, signal: AbortSignal): Promise<void> {
    const container = this.#running(ref)
    const stop = container.follow(({ stream, text }) => void (stream === 'Stdout' ? streams.stdout : streams.stderr)?.write(`${text}\n`))
    const read = (chunk: Buffer | string): void => {
      if (container.running && container.program.echo === true)
        for (const line of String(chunk).trimEnd().split('\n')) container.write(line)
    }
    streams.stdin?.on('data', read)
    await container.ended(signal)
    stop()
    streams.stdin?.off('data', read)
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
      .filter((container) => container.running)
      .map((container) => ({ container: container.spec.name, time, cpuNanoseconds: 0, memoryWorkingSetBytes: 0, memoryRssBytes: 0 }))
  }

  async updateResources(ref: ContainerRef, _resources: ResourceLimits): Promise<void> {
    this.#existing(ref)
  }

  async images(): Promise<readonly ImageState[]> {
    return [...this.#pulled.keys()].map((image) => ({ id: `simulated:${image}`, tags: [image], bytes: 0 }))
  }

  async imagePresent(image: string): Promise<boolean> {
    return this.#pulled.has(image)
  }

  async pullImage(image: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string> {
    this.#available()
    if (this.#options.pullMs !== undefined) await this.#take(this.#options.pullMs, signal)
    if (this.#options.missingImages?.has(image) === true)
      throw new RuntimeError('RUNTIME_IMAGE_PULL', `failed to pull image ${JSON.stringify(image)}: not found`)
    this.#pulled.set(image, auth)
    return `simulated:${image}`
  }

  async removeImage(image: string): Promise<void> {
    this.#pulled.delete(image)
  }

  async check(): Promise<void> {
    this.#available()
  }

  /** Ends a container as a crash would. For tests. */
  crash(ref: ContainerRef, exitCode: number): void {
    this.#find(ref)?.end(exitCode)
  }

  /** Writes a line as the container would. For tests. */
  write(ref: ContainerRef, text: string, stream: 'Stdout' | 'Stderr' = 'Stdout'): void {
    this.#existing(ref).write(text, stream)
  }

  /** Breaks a sandbox: its containers are killed and it has to be made again. For tests. */
  breakSandbox(uid: string): void {
    const sandbox = this.#sandbox(uid)
    sandbox.broken = true
    for (const container of sandbox.containers.values()) container.end(137, 9)
    this.#tell({ sandbox: uid })
  }

  /** Forgets everything, as a machine does that was switched off. For tests. */
  forget(): void {
    this.#sandboxes.clear()
  }

  /** The credentials with which an image was pulled. For tests. */
  pulledWith(image: string): RegistryAuth | undefined {
    return this.#pulled.get(image)
  }

  #available(): void {
    if (this.unavailable !== undefined) throw new RuntimeError('RUNTIME_UNAVAILABLE', this.unavailable)
  }

  #program(image: string): SimulatedProgram {
    return this.#options.programs?.[image] ?? {}
  }

  #allocate(): string {
    const number = this.#freed.shift() ?? this.#nextAddress++
    return `${this.#options.network ?? '10.244'}.${(number >> 8) & 255}.${number & 255}`
  }

  async #take(ms: number, signal: AbortSignal): Promise<void> {
    if (ms !== Number.POSITIVE_INFINITY) return this.#options.clock.sleep(ms, signal)
    await new Promise((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }

  #sandbox(uid: string): Sandbox {
    const sandbox = this.#sandboxes.get(uid)
    if (sandbox === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `there is no sandbox ${uid}`)
    return sandbox
  }

  /** Attempts that the reference means, newest first. */
  #attempts(ref: ContainerRef): readonly SimulatedContainer[] {
    return [...(this.#sandboxes.get(ref.sandbox)?.containers.values() ?? [])]
      .filter(({ spec }) => spec.name === ref.name && (ref.attempt === undefined || spec.attempt === ref.attempt))
      .sort((a, b) => b.spec.attempt - a.spec.attempt)
  }

  #find(ref: ContainerRef): SimulatedContainer | undefined {
    return this.#attempts(ref)[0]
  }

  #existing(ref: ContainerRef): SimulatedContainer {
    const container = this.#find(ref)
    if (container === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `there is no container ${ref.name} in sandbox ${ref.sandbox}`)
    return container
  }

  #previous(ref: ContainerRef): SimulatedContainer {
    const container = this.#attempts(ref)[1]
    if (container === undefined)
      throw new RuntimeError('RUNTIME_NOT_FOUND', `there is no previous container ${ref.name} in sandbox ${ref.sandbox}`)
    return container
  }

  #running(ref: ContainerRef): SimulatedContainer {
    const container = this.#existing(ref)
    if (!container.running) throw new RuntimeError('RUNTIME_NOT_FOUND', `container ${ref.name} does not run`)
    return container
  }

  #tell(event: RuntimeEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

const numberOf = (ip: string): number =>
  ip
    .split('.')
    .slice(2)
    .reduce((sum, part) => sum * 256 + Number(part), 0)

const view = ({ spec, ip, createdAt, containers, broken }: Sandbox): RuntimeSandbox => ({
  id: `simulated://${spec.uid}`,
  uid: spec.uid,
  namespace: spec.namespace,
  name: spec.name,
  state: broken ? 'notready' : 'ready',
  ips: [ip],
  createdAt,
  containers: [...containers.values()].map((container) => container.state),
})
