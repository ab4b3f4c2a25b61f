import { createHash } from 'node:crypto'
import { chown } from 'node:fs/promises'
import { connect } from 'node:net'
import { constants } from 'node:os'
import { join, resolve } from 'node:path'
import type { Duplex, Writable } from 'node:stream'
import type { Clock, Log } from '@continuo/core'
import type { ContainerRecord } from '@continuo/lib-container-shim'
import {
  attachContainer,
  execInContainer,
  firstSize,
  prepareShim,
  RunningContainers,
  RuntimeEvents,
  signalContainer,
  signalNumber,
  startShim,
  Turns,
} from '@continuo/lib-container-shim'
import { readLog } from '@continuo/lib-streams'
import {
  type ContainerRef,
  type ContainerSpec,
  type ContainerStats,
  formatResolvConf,
  type ImageState,
  type LogOptions,
  type ProcessStreams,
  type Runtime,
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvent,
  type RuntimeSandbox,
  type SandboxSpec,
} from '@continuo/workload'
import { AddressPool, parseRange } from './address-pool.ts'
import type { RuntimeProcessConfig } from './config.ts'
import { ContainerLookup } from './container-lookup.ts'
import { resolveImage } from './image-resolver.ts'
import { planLaunch } from './launch-plan.ts'
import { killLeftovers, usage } from './proc/process-tree.ts'
import { readExit, readStart, type SandboxRecord, StateDirectory } from './state-directory.ts'
import { withResolvConf } from './with-resolv-conf.ts'

export interface ProcessRuntimeOptions {
  readonly config: RuntimeProcessConfig & { readonly directory: string }
  readonly clock: Clock
  readonly log: Log
  /** Variables that every container gets unless it sets them. */
  readonly env: Readonly<Record<string, string>>
}

/** How often a followed log is looked at. */
const followMs = 150
/** How long an exec waits for the size of the client's terminal. */
const firstSizeMs = 200
/** How often a starting shim is looked at by somebody else than who started it. */
const startingMs = 20

/**
 * Runs containers as processes of the host. All state is on disk and in the shims: an instance may be dropped at any time,
 * and a new one on the same directory adopts what runs. Two live instances must not share a directory.
 */
export class ProcessRuntime implements Runtime {
  readonly name = 'continuo-process'
  readonly version = '0.1.0'
  readonly features = {
    pull: false,
    rootFilesystem: false,
    networkNamespace: false,
    resize: false,
  }
  readonly #options: ProcessRuntimeOptions
  readonly #state: StateDirectory
  readonly #addresses: AddressPool
  readonly #events = new RuntimeEvents()
  readonly #running: RunningContainers
  readonly #lookup: ContainerLookup
  /** One operation at a time for each sandbox. */
  readonly #turns = new Turns()
  #ready: Promise<string> | undefined

  constructor(options: ProcessRuntimeOptions) {
    const directory = resolve(options.config.directory)
    this.#options = options
    this.#state = new StateDirectory(directory)
    this.#addresses = new AddressPool(parseRange(options.config.addresses), directory)
    this.#running = new RunningContainers(options.clock, options.log, (path) => this.#ended(path))
    this.#lookup = new ContainerLookup(this.#state, (path) => void this.#running.watch(path))
  }

  /** Lets go of everything in this process; containers run on. */
  close(): void {
    this.#running.close()
  }

  async check(): Promise<void> {
    await this.#prepare()
    this.#addresses.release(await this.#addresses.allocate())
  }

  ensureSandbox(spec: SandboxSpec): Promise<RuntimeSandbox> {
    return this.#turns.take(spec.uid, async () => {
      await this.#prepare()
      const known = await this.#state.sandbox(spec.uid)
      if (known !== undefined) return this.#lookup.sandboxState(known)
      const { uid, namespace, name, hostname, hostNetwork } = spec
      const ip = hostNetwork ? this.#options.config.hostAddress : await this.#addresses.allocate()
      const record: SandboxRecord = {
        spec: { uid, namespace, name, hostname, hostNetwork },
        ip,
        createdAt: this.#options.clock.now(),
        ...(spec.dns === undefined ? {} : { resolvConf: true }),
      }
      await this.#state.saveSandbox(record, spec.dns === undefined ? undefined : formatResolvConf(spec.dns))
      return this.#lookup.sandboxState(record)
    })
  }

  ensureContainer(spec: ContainerSpec): Promise<RuntimeContainer> {
    return this.#turns.take(spec.sandbox, async () => {
      const shim = await this.#prepare()
      const sandbox = await this.#lookup.requireSandbox(spec.sandbox)
      const path = this.#state.containerPath(spec.sandbox, spec.name, spec.attempt)
      const known = await this.#state.container(spec.sandbox, spec.name, spec.attempt)
      const state = known === undefined ? undefined : await this.#lookup.containerState(sandbox, known)
      if (state !== undefined && state.state !== 'created') return state
      const record = known ?? (await this.#create(sandbox, spec, path))
      if ((await startShim(shim, path)) === 'running') await this.#started(path)
      if (spec.mounts.length > 0) await this.#warnOfMounts(path, spec)
      return this.#lookup.containerState(sandbox, record)
    })
  }

  async stop(ref: ContainerRef, graceMs: number, signal?: AbortSignal): Promise<void> {
    const { sandbox, record, path } = await this.#lookup.require(ref)
    const state = (await this.#lookup.containerState(sandbox, record)).state
    if (state === 'unknown') await killLeftovers(record.id)
    if (state !== 'running') return
    const ended = this.#running.watch(path)
    const gentle = signalNumber(record.stopSignal) ?? constants.signals.SIGTERM
    if (graceMs > 0 && (await this.#signal(path, gentle, 'group'))) {
      const timer = new AbortController()
      signal?.addEventListener('abort', () => timer.abort(), { once: true })
      await Promise.race([ended, this.#options.clock.sleep(graceMs, timer.signal).catch(() => {})])
      timer.abort()
      signal?.throwIfAborted()
    }
    if (
      (await this.#lookup.containerState(sandbox, record)).state === 'running' &&
      (await this.#signal(path, constants.signals.SIGKILL, 'all'))
    )
      await ended
    if ((await this.#lookup.containerState(sandbox, record)).state === 'unknown') await killLeftovers(record.id)
  }

  async removeContainer(ref: ContainerRef & { readonly attempt: number }): Promise<void> {
    await this.#turns.take(ref.sandbox, async () => {
      const record = await this.#state.container(ref.sandbox, ref.name, ref.attempt)
      if (record !== undefined) await this.stop(ref, 0)
      await this.#state.removeContainer(this.#state.containerPath(ref.sandbox, ref.name, ref.attempt))
    })
  }

  async removeSandbox(uid: string): Promise<void> {
    await this.#prepare()
    // All of it in one turn: a container that is being started is found when it runs, and none starts while its directory goes.
    await this.#turns.take(uid, async () => {
      const record = await this.#state.sandbox(uid)
      const containers = record === undefined ? [] : await this.#state.containers(uid)
      await Promise.all(containers.map(({ spec }) => this.stop({ sandbox: uid, name: spec.name, attempt: spec.attempt }, 0)))
      await this.#state.removeSandbox(uid)
      if (record !== undefined && !record.spec.hostNetwork) this.#addresses.release(record.ip)
    })
    this.#events.emit({ sandbox: uid })
  }

  async list(): Promise<readonly RuntimeSandbox[]> {
    await this.#prepare()
    return Promise.all((await this.#state.sandboxes()).map((record) => this.#lookup.sandboxState(record)))
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#events.read(signal)
  }

  async logs(ref: ContainerRef, options: LogOptions, out: Writable, signal: AbortSignal): Promise<void> {
    const { sandbox, record, path } = options.previous ? await this.#lookup.requirePrevious(ref) : await this.#lookup.require(ref)
    const chunks = readLog(join(path, 'log'), {
      follow: options.follow,
      timestamps: options.timestamps,
      signal,
      ended: async () => (await this.#lookup.containerState(sandbox, record)).state !== 'running',
      wait: (until) => this.#options.clock.sleep(followMs, until),
      ...(options.tailLines === undefined ? {} : { tailLines: options.tailLines }),
      ...(options.limitBytes === undefined ? {} : { limitBytes: options.limitBytes }),
      ...(options.since === undefined ? {} : { since: options.since }),
      ...(options.stream === 'Stdout' ? { stream: 'stdout' as const } : options.stream === 'Stderr' ? { stream: 'stderr' as const } : {}),
    })
    for await (const chunk of chunks) {
      if (out.destroyed) return
      if (!out.write(chunk)) await new Promise<void>((next) => void out.once('drain', next).once('close', next))
    }
  }

  async exec(ref: ContainerRef, command: readonly string[], streams: ProcessStreams, signal: AbortSignal): Promise<number> {
    const { path } = await this.#lookup.requireRunning(ref)
    try {
      if (!streams.tty || streams.resize === undefined) return (await execInContainer(path, command, streams, signal)).code
      const { size, rest } = await firstSize(streams.resize, this.#options.clock.sleep(firstSizeMs, signal))
      return (await execInContainer(path, command, { ...streams, resize: rest }, signal, size)).code
    } finally {
      streams.stdout?.end()
      streams.stderr?.end()
    }
  }

  async attach(ref: ContainerRef, streams: ProcessStreams, signal: AbortSignal): Promise<void> {
    const { path } = await this.#lookup.requireRunning(ref)
    try {
      await attachContainer(path, streams, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      streams.stdout?.end()
      streams.stderr?.end()
    }
  }

  async portForward(uid: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const { ip } = await this.#lookup.requireSandbox(uid)
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const socket = connect({ host: ip, port, allowHalfOpen: true, signal })
      socket.once('connect', () => resolve(socket.removeAllListeners('error')))
      socket.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'ECONNREFUSED' ? 'connection refused' : cause.message
        reject(new RuntimeError('RUNTIME_UNAVAILABLE', `dial tcp4 ${ip}:${port}: connect: ${why}`, { cause }))
      })
    })
  }

  async stats(uid: string): Promise<readonly ContainerStats[]> {
    const sandbox = await this.#lookup.requireSandbox(uid)
    const samples = (await this.#state.containers(uid)).map(async (record): Promise<ContainerStats | undefined> => {
      if ((await this.#lookup.containerState(sandbox, record)).state !== 'running') return undefined
      const start = await readStart(this.#lookup.pathOf(uid, record))
      if (start === undefined) return undefined
      const used = await usage(start.shim)
      return {
        container: record.spec.name,
        time: this.#options.clock.now(),
        cpuNanoseconds: used.cpuNanoseconds,
        memoryWorkingSetBytes: used.privateBytes,
        memoryRssBytes: used.rssBytes,
      }
    })
    return (await Promise.all(samples)).filter((sample) => sample !== undefined)
  }

  async updateResources(): Promise<void> {
    throw new RuntimeError('RUNTIME_UNSUPPORTED', 'the process runtime cannot change the resources of a running container')
  }

  async images(): Promise<readonly ImageState[]> {
    const names = [...Object.keys(this.#options.config.images), 'host:latest', 'continuo/host:latest']
    return names.map((name) => ({
      id: `process://${name}`,
      tags: [name],
      bytes: 0,
    }))
  }

  async imagePresent(image: string): Promise<boolean> {
    try {
      resolveImage(image, this.#options.config.images)
      return true
    } catch {
      return false
    }
  }

  async pullImage(image: string): Promise<string> {
    return resolveImage(image, this.#options.config.images).id
  }

  async removeImage(): Promise<void> {}

  /** Finds the shim and the addresses in use, once. */
  #prepare(): Promise<string> {
    this.#ready ??= (async () => {
      for (const { ip, spec } of await this.#state.sandboxes()) if (!spec.hostNetwork) this.#addresses.claim(ip)
      return prepareShim(join(this.#state.root, 'bin'), this.#options.config.shim)
    })().catch((error) => {
      this.#ready = undefined
      throw error
    })
    return this.#ready
  }

  async #create(sandbox: SandboxRecord, spec: ContainerSpec, path: string): Promise<ContainerRecord> {
    const { config, clock, env } = this.#options
    const image = resolveImage(spec.image, config.images)
    const id = createHash('sha256').update(`${spec.sandbox}/${spec.name}/${spec.attempt}/${path}`).digest('hex')
    const privileged = process.getuid?.() === 0
    const mounted = sandbox.resolvConf === true ? withResolvConf(spec, this.#state.resolvConfPath(spec.sandbox)) : spec
    const plan = planLaunch(mounted, image, {
      id,
      rootfs: join(path, 'rootfs'),
      logPath: join(path, 'log'),
      podIP: sandbox.ip,
      hostname: sandbox.spec.hostname,
      namespaces: config.namespaces === 'auto',
      env: { ...env, ...config.env },
      privileged,
    })
    const { name, attempt, kind, hash, tty, stdin } = spec
    const record: ContainerRecord = {
      id,
      imageId: image.id,
      createdAt: clock.now(),
      stopSignal: spec.stopSignal ?? image.stopSignal ?? 'SIGTERM',
      spec: { name, attempt, kind, image: spec.image, hash, tty, stdin },
    }
    const { uid, gid } = plan.shim
    await this.#state.saveContainer(path, record, plan, async (directory) => {
      if (uid !== undefined || gid !== undefined) await chown(directory, uid ?? process.getuid?.() ?? 0, gid ?? process.getgid?.() ?? 0)
    })
    return record
  }

  #ended(path: string): void {
    const [uid, , container] = path.split('/').slice(-3)
    if (uid !== undefined && container !== undefined)
      this.#events.emit({
        sandbox: uid,
        container: container.slice(0, container.lastIndexOf('.')),
      })
  }

  /** Resolves false when the container has ended. */
  async #signal(path: string, signal: number, scope: 'group' | 'all'): Promise<boolean> {
    try {
      await signalContainer(path, signal, scope)
      return true
    } catch (error) {
      this.#options.log.debug({ path, err: error }, 'the container ended before the signal came')
      return false
    }
  }

  /** Says it when volumes are not where the container looks for them. */
  async #warnOfMounts(path: string, spec: ContainerSpec): Promise<void> {
    const mounts = (await readStart(path))?.mounts
    if (mounts === undefined || mounts === 'namespace' || this.#options.config.namespaces === 'off') return
    const fields = { sandbox: spec.sandbox, container: spec.name, mounts }
    this.#options.log.warn(fields, 'volumes could not be mounted at their paths: the container finds them below $CONTINUO_ROOT')
  }

  /** Waits for the record of a shim that another attempt of ours has started. */
  async #started(path: string): Promise<void> {
    while ((await readStart(path)) === undefined && (await readExit(path)) === undefined) await this.#options.clock.sleep(startingMs)
  }
}
