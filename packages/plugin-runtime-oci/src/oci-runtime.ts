import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join, resolve } from 'node:path'
import type { Duplex, Writable } from 'node:stream'
import { promisify } from 'node:util'
import type { Clock, Log, Random } from '@continuo/core'
import {
  attachContainer,
  type ContainerRecord,
  containerState,
  encodeSpec,
  execInContainer,
  firstSize,
  isAlive,
  isCleanText,
  prepareShim,
  RunningContainers,
  RuntimeEvents,
  readBootId,
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
  type ImageState,
  isRuntimeError,
  type LogOptions,
  type PodNetwork,
  type ProcessStreams,
  type ResourceLimits,
  type Runtime,
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvent,
  type RuntimeSandbox,
  type SandboxSpec,
} from '@continuo/workload'
import { bundleConfig } from './bundle.ts'
import { availableCapabilities } from './capabilities.ts'
import type { RuntimeOciConfig } from './config.ts'
import { ContainerRecords, readExit, readStart, type SandboxRecord } from './container-records.ts'
import { ControlGroups } from './control-groups.ts'
import { imageUser } from './images/image-facts.ts'
import { ImageStore, type StoredImage } from './images/image-store.ts'
import { execCommand, execProcess, launchCommand } from './launch.ts'
import { connectInside } from './port-forward.ts'
import { sandboxFiles } from './sandbox-files.ts'

const run = promisify(execFile)

export interface OciRuntimeOptions {
  readonly config: RuntimeOciConfig & { readonly directory: string }
  /** Undefined: sandboxes are possible on the host's network alone. */
  readonly network: PodNetwork | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

interface Found {
  readonly sandbox: SandboxRecord
  readonly record: ContainerRecord
  readonly path: string
}

/** How often a followed log is looked at. */
const followMs = 150
/** How long an exec waits for the size of the client's terminal. */
const firstSizeMs = 200
/** How long a container may take from its launch to its first instruction. */
const launchMs = 20_000
const lookMs = 2

/**
 * Containers by an OCI runtime (crun or runc), each under a shim of its own, in a control group and on a root file system that are ours.
 * All state is on disk, in the kernel and in the shims: an instance may be dropped at any time. Two live ones must not share a directory.
 */
export class OciRuntime implements Runtime {
  readonly name: string
  readonly version = '0.1.0'
  readonly features = { pull: false, rootFilesystem: true, networkNamespace: true, resize: true }
  readonly #options: OciRuntimeOptions
  readonly #directory: string
  readonly #records: ContainerRecords
  readonly #images: ImageStore
  readonly #groups: ControlGroups
  readonly #events = new RuntimeEvents()
  readonly #running: RunningContainers
  readonly #turns = new Turns()
  readonly #boot = readBootId()
  readonly #command: readonly string[]
  #shim: Promise<string> | undefined

  constructor(options: OciRuntimeOptions) {
    const { config } = options
    this.#options = options
    this.name = config.program
    this.#directory = resolve(config.directory)
    this.#records = new ContainerRecords(join(this.#directory, 'sandboxes'))
    this.#images = new ImageStore(join(this.#directory, 'images'), config.images, options.log)
    this.#groups = new ControlGroups(config.cgroup, config.pids)
    this.#running = new RunningContainers(options.clock, options.log, (path) => this.#ended(path))
    this.#command = [config.program, '--root', join(this.#directory, 'state'), '--cgroup-manager=disabled']
  }

  /** Lets go of everything in this process; containers run on. */
  close(): void {
    this.#running.close()
  }

  async check(): Promise<void> {
    await this.#prepare()
    try {
      await run(this.#options.config.program, ['--version'])
    } catch (cause) {
      throw new RuntimeError('RUNTIME_UNAVAILABLE', `${this.#options.config.program} cannot be run`, {
        cause,
        hint: 'on Debian: apt-get install crun',
      })
    }
  }

  ensureSandbox(spec: SandboxSpec): Promise<RuntimeSandbox> {
    return this.#turns.take(spec.uid, async () => {
      await this.#prepare()
      const known = await this.#records.sandbox(spec.uid)
      const record = { ...(await this.#connect(spec)), createdAt: known?.createdAt ?? this.#options.clock.now() }
      if (known === undefined) {
        const path = this.#records.sandboxPath(spec.uid)
        await mkdir(path, { recursive: true, mode: 0o711 })
        for (const [name, text] of Object.entries(sandboxFiles(spec, record.ips))) await writeFile(join(path, name), text, { mode: 0o644 })
        await this.#records.saveSandbox(record)
      }
      return this.#sandboxState(known ?? record)
    })
  }

  ensureContainer(spec: ContainerSpec): Promise<RuntimeContainer> {
    return this.#turns.take(spec.sandbox, async () => {
      const shim = await this.#prepare()
      const sandbox = await this.#requireSandbox(spec.sandbox)
      const path = this.#records.containerPath(spec.sandbox, spec.name, spec.attempt)
      const known = await this.#records.container(spec.sandbox, spec.name, spec.attempt)
      const state = known === undefined ? undefined : await this.#state(sandbox, known)
      if (state !== undefined && state.state !== 'created') return state
      const record = await this.#create(sandbox, spec, path)
      await startShim(shim, path)
      await this.#launched(record, path)
      return this.#state(sandbox, record)
    })
  }

  async stop(ref: ContainerRef, graceMs: number, signal?: AbortSignal): Promise<void> {
    const { sandbox, record, path } = await this.#require(ref)
    const runs = async (): Promise<boolean> => (await this.#state(sandbox, record)).state === 'running'
    if (!(await runs())) return
    const ended = this.#running.watch(path)
    if (graceMs > 0) {
      await run(this.#command[0] as string, [...this.#command.slice(1), 'kill', record.id, record.stopSignal]).catch(() => {})
      const timer = new AbortController()
      signal?.addEventListener('abort', () => timer.abort(), { once: true })
      if (signal?.aborted) timer.abort()
      await Promise.race([ended, this.#options.clock.sleep(graceMs, timer.signal).catch(() => {})])
      timer.abort()
      signal?.throwIfAborted()
    }
    if (!(await runs())) return
    await signalContainer(path, constants.signals.SIGKILL, 'all').catch((error: unknown) => {
      if (!isRuntimeError(error, 'RUNTIME_NOT_FOUND')) throw error
    })
    await ended
  }

  async removeContainer(ref: ContainerRef & { readonly attempt: number }): Promise<void> {
    await this.#turns.take(ref.sandbox, async () => {
      const record = await this.#records.container(ref.sandbox, ref.name, ref.attempt)
      if (record !== undefined) await this.#removeContainer(ref.sandbox, record)
    })
  }

  async removeSandbox(uid: string): Promise<void> {
    await this.#prepare()
    await this.#turns.take(uid, async () => {
      const record = await this.#records.sandbox(uid)
      const containers = record === undefined ? [] : await this.#records.containers(uid)
      await Promise.all(containers.map((container) => this.#removeContainer(uid, container)))
      if (record?.spec.hostNetwork !== true) await this.#options.network?.detach(uid)
      await this.#groups.removeParent(uid)
      await this.#groups.removeParent()
      await this.#records.removeSandbox(uid)
    })
    this.#events.emit({ sandbox: uid })
  }

  async list(): Promise<readonly RuntimeSandbox[]> {
    await this.#prepare()
    return Promise.all((await this.#records.sandboxes()).map((record) => this.#sandboxState(record)))
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#events.read(signal)
  }

  async logs(ref: ContainerRef, options: LogOptions, out: Writable, signal: AbortSignal): Promise<void> {
    const { sandbox, record, path } = options.previous ? await this.#requirePrevious(ref) : await this.#require(ref)
    const { follow, timestamps, tailLines, limitBytes, since, stream } = options
    const chunks = readLog(join(path, 'log'), {
      follow,
      timestamps,
      signal,
      ended: async () => (await this.#state(sandbox, record)).state !== 'running',
      wait: (until) => this.#options.clock.sleep(followMs, until),
      ...(tailLines === undefined ? {} : { tailLines }),
      ...(limitBytes === undefined ? {} : { limitBytes }),
      ...(since === undefined ? {} : { since }),
      ...(stream === 'Stdout' ? { stream: 'stdout' as const } : stream === 'Stderr' ? { stream: 'stderr' as const } : {}),
    })
    for await (const chunk of chunks) {
      if (out.destroyed) return
      if (!out.write(chunk)) await new Promise<void>((next) => void out.once('drain', next).once('close', next))
    }
  }

  async exec(ref: ContainerRef, command: readonly string[], streams: ProcessStreams, signal: AbortSignal): Promise<number> {
    const { sandbox, record, path } = await this.#requireRunning(ref)
    const name = this.#options.random.next().toString(36).slice(2)
    const mark = `CONTINUO_EXEC=${name}`
    const group = groupOf(sandbox.spec.uid, record)
    const process = join(path, `exec-${name}.json`)
    const bundle = JSON.parse(await readFile(join(path, 'config.json'), 'utf8')) as Parameters<typeof execProcess>[0]
    await writeFile(process, JSON.stringify(execProcess(bundle, { command, tty: streams.tty, mark })), { mode: 0o600 })
    const line = execCommand({ groups: this.#groups.files(group), runtime: this.#command, id: record.id, process })
    try {
      if (!streams.tty || streams.resize === undefined) return (await execInContainer(path, line, streams, signal)).code
      const { size, rest } = await firstSize(streams.resize, this.#options.clock.sleep(firstSizeMs, signal))
      return (await execInContainer(path, line, { ...streams, resize: rest }, signal, size)).code
    } finally {
      // The shim ends the OCI runtime with the connection, not what that has started in the container.
      if (signal.aborted) await this.#killMarked(group, mark)
      await rm(process, { force: true })
      streams.stdout?.end()
      streams.stderr?.end()
    }
  }

  async attach(ref: ContainerRef, streams: ProcessStreams, signal: AbortSignal): Promise<void> {
    const { path } = await this.#requireRunning(ref)
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
    const { netns } = await this.#requireSandbox(uid)
    signal.throwIfAborted()
    return connectInside(netns, port, signal)
  }

  async stats(uid: string): Promise<readonly ContainerStats[]> {
    const sandbox = await this.#requireSandbox(uid)
    const samples = (await this.#records.containers(uid)).map(async (record): Promise<ContainerStats | undefined> => {
      if ((await this.#state(sandbox, record)).state !== 'running') return undefined
      const usage = await this.#groups.usage(groupOf(uid, record))
      return usage && { container: record.spec.name, time: this.#options.clock.now(), ...usage }
    })
    return (await Promise.all(samples)).filter((sample) => sample !== undefined)
  }

  async updateResources(ref: ContainerRef, resources: ResourceLimits): Promise<void> {
    const { sandbox, record } = await this.#requireRunning(ref)
    await this.#groups.limit(groupOf(sandbox.spec.uid, record), resources)
  }

  images(): Promise<readonly ImageState[]> {
    return this.#images.list()
  }

  async imagePresent(image: string): Promise<boolean> {
    return (await this.#images.find(image)) !== undefined
  }

  async pullImage(image: string): Promise<string> {
    return `sha256:${(await this.#images.require(image)).id}`
  }

  removeImage(image: string): Promise<void> {
    return this.#images.remove(image)
  }

  #prepare(): Promise<string> {
    this.#shim ??= (async () => {
      await mkdir(join(this.#directory, 'state'), { recursive: true, mode: 0o711 })
      return prepareShim(join(this.#directory, 'bin'))
    })().catch((error: unknown) => {
      this.#shim = undefined
      throw error
    })
    return this.#shim
  }

  async #connect(spec: SandboxSpec): Promise<Pick<SandboxRecord, 'spec' | 'ips' | 'netns'>> {
    if (spec.hostNetwork) return { spec, ips: [this.#options.config.hostAddress] }
    if (this.#options.network === undefined)
      throw new RuntimeError('RUNTIME_UNAVAILABLE', 'there is no pod network: only pods with hostNetwork can run', {
        hint: 'add @continuo/plugin-network-routed to the node',
      })
    const { uid, namespace, name } = spec
    const hostPorts = spec.ports.flatMap((port) => (port.hostPort ? [{ ...port, hostPort: port.hostPort }] : []))
    const { ips, netns } = await this.#options.network.attach({ uid, namespace, name, hostPorts })
    return { spec, ips, netns }
  }

  async #create(sandbox: SandboxRecord, spec: ContainerSpec, path: string): Promise<ContainerRecord> {
    const image = await this.#images.require(spec.image)
    const { uid } = sandbox.spec
    const id = createHash('sha256').update(`${path}`).digest('hex')
    const joinPid = spec.targetContainer === undefined ? undefined : await this.#pidOf({ sandbox: uid, name: spec.targetContainer })
    if (sandbox.spec.shareProcessNamespace)
      throw new RuntimeError(
        'RUNTIME_UNSUPPORTED',
        'shareProcessNamespace is not supported: no process holds a namespace for all containers',
      )
    const bundle = bundleConfig(spec, sandbox.spec, image.facts, {
      sandboxPath: this.#records.sandboxPath(uid),
      user: await userOf(image, spec),
      available: availableCapabilities(),
      ...(sandbox.netns === undefined ? {} : { netns: sandbox.netns }),
      ...(joinPid === undefined ? {} : { joinPid }),
    })
    const text = JSON.stringify(bundle)
    if (!isCleanText(JSON.parse(`[${text}]`).toString()) || text.includes('\\u0000'))
      throw new RuntimeError('RUNTIME_INVALID_SPEC', `container "${spec.name}" has a NUL character in a text`)
    const { name, attempt, kind, hash, tty, stdin } = spec
    const record: ContainerRecord = {
      id,
      imageId: `sha256:${image.id}`,
      createdAt: this.#options.clock.now(),
      stopSignal: stopSignalOf(spec, image),
      spec: { name, attempt, kind, image: spec.image, hash, tty, stdin },
    }
    const groups = await this.#groups.prepare(groupOf(uid, record), spec.resources)
    await this.#records.prepareContainer(path)
    await writeFile(join(path, 'config.json'), text, { mode: 0o600 })
    const shim = encodeSpec({
      args: launchCommand({
        directory: path,
        image: image.root,
        groups,
        runtime: [...this.#command, '--log', join(path, 'runtime.log')],
        id,
      }),
      env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin' },
      cwd: '/',
      cwdElse: '/',
      noNewPrivileges: false,
      tty,
      stdin,
      stdinOnce: spec.stdinOnce,
      log: join(path, 'log'),
      logBytes: spec.log.maxBytes,
      logFiles: Math.max(1, spec.log.maxFiles),
      mounts: [],
      hostname: sandbox.spec.hostname,
      namespaces: false,
    })
    await writeFile(join(path, 'spec'), shim, { mode: 0o600 })
    await this.#records.saveContainer(path, record)
    return record
  }

  /** Waits until the container's own process runs, or has ended. */
  async #launched(record: ContainerRecord, path: string): Promise<void> {
    const { clock } = this.#options
    const status = join(this.#directory, 'state', record.id, 'status')
    for (const end = clock.monotonic() + launchMs; clock.monotonic() < end; await clock.sleep(lookMs))
      if (existsSync(status) || (await readExit(path)) !== undefined) return
  }

  async #removeContainer(uid: string, record: ContainerRecord): Promise<void> {
    const { name, attempt } = record.spec
    const path = this.#records.containerPath(uid, name, attempt)
    await this.stop({ sandbox: uid, name, attempt }, 0)
    const group = groupOf(uid, record)
    // A killed shim takes nothing along: what it left ends here.
    for (const pid of await this.#groups.processes(group)) kill(pid)
    if (existsSync(join(this.#directory, 'state', record.id)))
      await run(this.#command[0] as string, [...this.#command.slice(1), 'delete', '--force', record.id]).catch(() => {})
    await this.#groups.remove(group)
    await this.#records.removeContainer(path)
  }

  async #killMarked(group: string, mark: string): Promise<void> {
    for (const pid of await this.#groups.processes(group)) {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
      if (environment.split('\0').includes(mark)) kill(pid)
    }
  }

  async #pidOf(ref: ContainerRef): Promise<number> {
    const { record } = await this.#requireRunning(ref)
    const { stdout } = await run(this.#command[0] as string, [...this.#command.slice(1), 'state', record.id])
    return (JSON.parse(stdout) as { pid: number }).pid
  }

  async #sandboxState(record: SandboxRecord): Promise<RuntimeSandbox> {
    const { uid, namespace, name } = record.spec
    const containers = await Promise.all((await this.#records.containers(uid)).map((container) => this.#state(record, container)))
    const ready = record.netns === undefined || existsSync(record.netns)
    return { id: uid, uid, namespace, name, state: ready ? 'ready' : 'notready', ips: record.ips, createdAt: record.createdAt, containers }
  }

  async #state({ spec }: SandboxRecord, record: ContainerRecord): Promise<RuntimeContainer> {
    const path = this.#records.containerPath(spec.uid, record.spec.name, record.spec.attempt)
    const start = await readStart(path)
    const shimAlive = start !== undefined && isAlive({ boot: start.boot, pid: start.shim, start: start.shimStart }, this.#boot)
    // The exit is read last: a shim that we saw dead has written it before it died.
    const exit = await readExit(path)
    const state = containerState({ record, start, exit, shimAlive, sameBoot: start?.boot === this.#boot })
    if (state.state === 'running') void this.#running.watch(path)
    if (state.state !== 'exited') return state
    const killed = state.exitCode === 137 && (await this.#groups.outOfMemory(groupOf(spec.uid, record)))
    if (killed) return { ...state, oomKilled: true, message: 'the container used more memory than its limit' }
    return state.exitCode === 0 ? state : { ...state, ...(await complaint(path)) }
  }

  async #requireSandbox(uid: string): Promise<SandboxRecord> {
    const record = await this.#records.sandbox(uid)
    if (record === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `sandbox "${uid}" not found`)
    return record
  }

  async #require(ref: ContainerRef): Promise<Found> {
    const sandbox = await this.#requireSandbox(ref.sandbox)
    const record = (await this.#records.containers(ref.sandbox)).findLast(
      ({ spec }) => spec.name === ref.name && (ref.attempt === undefined || spec.attempt === ref.attempt),
    )
    if (record === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `container "${ref.name}" not found in sandbox "${ref.sandbox}"`)
    return { sandbox, record, path: this.#records.containerPath(ref.sandbox, record.spec.name, record.spec.attempt) }
  }

  /** The attempt before the latest, or the one that is named. */
  async #requirePrevious(ref: ContainerRef): Promise<Found> {
    const latest = await this.#require(ref)
    if (ref.attempt !== undefined) return latest
    const earlier = (await this.#records.containers(ref.sandbox)).findLast(
      ({ spec }) => spec.name === ref.name && spec.attempt < latest.record.spec.attempt,
    )
    if (earlier === undefined)
      throw new RuntimeError('RUNTIME_NOT_FOUND', `previous terminated container "${ref.name}" not found in sandbox "${ref.sandbox}"`)
    return this.#require({ ...ref, attempt: earlier.spec.attempt })
  }

  async #requireRunning(ref: ContainerRef): Promise<Found> {
    const found = await this.#require(ref)
    const { state } = await this.#state(found.sandbox, found.record)
    if (state !== 'running') throw new RuntimeError('RUNTIME_NOT_FOUND', `container "${ref.name}" is not running, it is ${state}`)
    return found
  }

  #ended(path: string): void {
    const [uid, , container = ''] = path.split('/').slice(-3)
    if (uid !== undefined) this.#events.emit({ sandbox: uid, container: container.slice(0, container.lastIndexOf('.')) })
  }
}

const groupOf = (uid: string, { spec }: ContainerRecord): string => `${uid}/${spec.name}.${spec.attempt}`

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** A signal's name or number, as the OCI runtime takes it. */
function stopSignalOf(spec: ContainerSpec, image: StoredImage): string {
  const name = spec.stopSignal ?? image.facts.stopSignal ?? 'SIGTERM'
  return String(signalNumber(name) ?? (/^\d+$/.test(name) ? name : constants.signals.SIGTERM))
}

async function userOf(image: StoredImage, spec: ContainerSpec): Promise<NonNullable<ReturnType<typeof imageUser>>> {
  const text = (name: string): Promise<string> => readFile(join(image.root, 'etc', name), 'utf8').catch(() => '')
  const wanted = spec.security.user === undefined ? image.facts.user : String(spec.security.user)
  const user = imageUser(wanted, await text('passwd'), await text('group'))
  if (user === undefined)
    throw new RuntimeError('RUNTIME_INVALID_SPEC', `image "${spec.image}" has no user "${wanted}"`, { hint: 'set runAsUser to a number' })
  return user
}

/** What the OCI runtime complained of when it could not start the container. */
async function complaint(path: string): Promise<{ readonly message?: string }> {
  const text = await readFile(join(path, 'runtime.log'), 'utf8').catch(() => '')
  // Each line begins with its time.
  const message = (text.trimEnd().split('\n').at(-1) ?? '').replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z?:?\s*/, '')
  return message === '' ? {} : { message }
}
