import { readFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import type { Duplex, Writable } from 'node:stream'
import type { Clock, Log } from '@continuo/core'
import {
  type ContainerRef,
  type ContainerSpec,
  type ContainerStats,
  type ImageState,
  type LogOptions,
  type PodNetwork,
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
import type { RuntimeDockerConfig } from './config.ts'
import { containerState } from './container-state.ts'
import { containerStats } from './container-stats.ts'
import { type ContainerInspectInfo, Daemon } from './daemon/daemon.ts'
import { saying, statusOf } from './daemon/daemon-error.ts'
import { followEvents } from './events.ts'
import { Images } from './images/images.ts'
import { ensurePauseImage } from './images/pause-image.ts'
import { Inventory } from './inventory.ts'
import { containerName, readSandbox, sharesProcesses } from './labels.ts'
import { PodCgroups } from './pod-cgroups.ts'
import { SandboxAddresses } from './sandbox-addresses.ts'
import { stopContainer } from './stop-container.ts'
import { attachTo, execIn } from './streams/exec.ts'
import { writeLogs } from './streams/logs.ts'
import { dialAddress, dialInside } from './streams/port-forward.ts'
import { containerOptions } from './translate/container-options.ts'
import { changedResources } from './translate/resources.ts'
import { sandboxOptions } from './translate/sandbox-options.ts'

export interface DockerRuntimeOptions {
  readonly config: RuntimeDockerConfig & { readonly owner: string }
  readonly clock: Clock
  readonly log: Log
  /** Gives sandboxes their addresses; without it Docker's network does. */
  readonly network?: PodNetwork
  /** The address of sandboxes on the host's network. */
  hostAddress(): string
}

/** What is true of the daemon until it is restarted. */
interface Prepared {
  readonly pauseImage: string
  readonly cgroups: PodCgroups
}

const notFound = 404
const conflict = 409

/**
 * Runs sandboxes and containers on Docker. All state is the daemon's: names make everything happen once, labels tell what it is, and an
 * instance may be dropped at any time. A sandbox is a container that holds the namespaces its containers join.
 */
export class DockerRuntime implements Runtime {
  readonly name = 'docker'
  readonly features = { pull: true, rootFilesystem: true, networkNamespace: true, resize: true }
  readonly #options: DockerRuntimeOptions
  readonly #daemon: Daemon
  readonly #inventory: Inventory
  readonly #images: Images
  readonly #addresses: SandboxAddresses
  #prepared: Promise<Prepared> | undefined
  #version = 'unknown'
  #reaped = false

  constructor(options: DockerRuntimeOptions) {
    const { config, clock, log } = options
    this.#options = options
    this.#daemon = new Daemon(config.socket, clock)
    this.#inventory = new Inventory(this.#daemon, config.owner)
    this.#images = new Images({ daemon: this.#daemon, clock, log, stallMs: config.pullStallSeconds * 1000 })
    this.#addresses = new SandboxAddresses(options.network, () => options.hostAddress())
  }

  /** The daemon's; known once it has been asked for anything. */
  get version(): string {
    return this.#version
  }

  async check(): Promise<void> {
    await this.#daemon.call('reach dockerd', (docker) => docker.ping())
    await this.#prepare()
  }

  async ensureSandbox(spec: SandboxSpec, signal?: AbortSignal): Promise<RuntimeSandbox> {
    const known = await this.#inventory.sandbox(spec.uid)
    const holder = known ?? (await this.#createSandbox(spec, signal))
    signal?.throwIfAborted()
    const running = holder.State.Status === 'created' ? await this.#startSandbox(spec, holder.Id) : holder
    const ready = running.State.Running
    const { uid, namespace, name } = spec
    const identity = { id: running.Id, uid, namespace, name, createdAt: Date.parse(running.Created) }
    const containers = known === undefined ? [] : await this.#containersOf(uid)
    return { ...identity, state: ready ? 'ready' : 'notready', ips: ready ? await this.#addresses.of(running) : [], containers }
  }

  async ensureContainer(spec: ContainerSpec, signal?: AbortSignal): Promise<RuntimeContainer> {
    const name = containerName(this.#options.config.owner, spec.sandbox, spec.name, spec.attempt)
    const [known, holder] = await Promise.all([this.#inventory.inspect(name), this.#inventory.requireSandbox(spec.sandbox)])
    if (known !== undefined && known.State.Status !== 'created') return containerState(known)
    const id = known?.Id ?? (await this.#createContainer(spec, name, holder, signal))
    signal?.throwIfAborted()
    await this.#startContainer(spec, id)
    const state = await this.#inventory.inspect(id)
    if (state === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `container "${spec.name}" was removed while it was started`)
    return containerState(state)
  }

  async stop(ref: ContainerRef, graceMs: number, signal?: AbortSignal): Promise<void> {
    const { id, running } = await this.#inventory.require(ref)
    if (running) await stopContainer(this.#daemon, this.#options.clock, this.#inventory, id, graceMs, signal)
  }

  async removeContainer(ref: ContainerRef & { readonly attempt: number }): Promise<void> {
    await this.#remove(containerName(this.#options.config.owner, ref.sandbox, ref.name, ref.attempt))
  }

  async removeSandbox(uid: string): Promise<void> {
    await this.#addresses.release(uid)
    // Once more for what was being made meanwhile: it cannot start without the container that holds the sandbox.
    for (let ids = await this.#inventory.members(uid); ids.length > 0; ids = await this.#inventory.members(uid)) {
      await Promise.all(ids.slice(0, -1).map((id) => this.#remove(id)))
      await Promise.all(ids.slice(-1).map((id) => this.#remove(id)))
    }
    await (await this.#prepare()).cgroups.remove(uid)
  }

  async list(): Promise<readonly RuntimeSandbox[]> {
    const sandboxes = await this.#inventory.sandboxes((holder) => this.#addresses.of(holder))
    if (!this.#reaped) {
      await this.#addresses.reap(new Set(sandboxes.map(({ uid }) => uid)))
      this.#reaped = true
    }
    return sandboxes
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const { clock, log, config } = this.#options
    const sandboxes = async (): Promise<readonly string[]> => (await this.list()).map(({ uid }) => uid)
    return followEvents({ daemon: this.#daemon, clock, log, owner: config.owner, sandboxes }, signal)
  }

  async logs(ref: ContainerRef, options: LogOptions, out: Writable, signal: AbortSignal): Promise<void> {
    const container = options.previous ? await this.#inventory.requirePrevious(ref) : await this.#inventory.require(ref)
    await writeLogs(this.#daemon, container, options, out, signal)
  }

  async exec(ref: ContainerRef, command: readonly string[], streams: ProcessStreams, signal: AbortSignal): Promise<number> {
    try {
      const { id } = await this.#inventory.requireRunning(ref)
      return await execIn(this.#daemon, this.#options.clock, id, command, streams, signal)
    } finally {
      streams.stdout?.end()
      streams.stderr?.end()
    }
  }

  async attach(ref: ContainerRef, streams: ProcessStreams, signal: AbortSignal): Promise<void> {
    try {
      await attachTo(this.#daemon, await this.#inventory.requireRunning(ref), streams, signal)
    } finally {
      streams.stdout?.end()
      streams.stderr?.end()
    }
  }

  async portForward(sandbox: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const holder = await this.#inventory.requireSandbox(sandbox)
    const [ip] = await this.#addresses.of(holder)
    signal.throwIfAborted()
    const direct = ip === undefined ? undefined : await dialAddress(this.#options.clock, ip, port, signal)
    return direct ?? dialInside(this.#daemon, holder.Id, port, signal)
  }

  async stats(sandbox: string): Promise<readonly ContainerStats[]> {
    await this.#inventory.requireSandbox(sandbox)
    const running = (await this.#inventory.containers(sandbox)).filter((container) => container.running)
    const samples = running.map(async ({ id, name }) => {
      const options = { stream: false, 'one-shot': true } as const
      const sample = await this.#daemon.find(`measure container ${name}`, (docker) => docker.getContainer(id).stats(options))
      return sample === undefined ? undefined : containerStats(name, sample)
    })
    return (await Promise.all(samples)).filter((sample) => sample !== undefined)
  }

  async updateResources(ref: ContainerRef, resources: ResourceLimits): Promise<void> {
    const { id } = await this.#inventory.requireRunning(ref)
    const what = `change the resources of container "${ref.name}" of sandbox "${ref.sandbox}"`
    await this.#daemon.call(
      what,
      (docker, abortSignal) => docker.getContainer(id).update({ ...changedResources(resources), abortSignal }),
      { code: 'RUNTIME_INVALID_SPEC', hint: 'a memory limit cannot go below what the container uses' },
    )
  }

  images(): Promise<readonly ImageState[]> {
    return this.#images.list()
  }

  async imagePresent(image: string): Promise<boolean> {
    return (await this.#images.find(image)) !== undefined
  }

  pullImage(image: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string> {
    return this.#images.pull(image, auth, signal)
  }

  removeImage(image: string): Promise<void> {
    return this.#images.remove(image)
  }

  /** Asks the daemon what it is and gives it the image of sandboxes; once, until that fails. */
  #prepare(): Promise<Prepared> {
    this.#prepared ??= (async (): Promise<Prepared> => {
      const info = await this.#daemon.call('ask dockerd what it is', (docker) => docker.info())
      this.#version = info.ServerVersion
      return {
        pauseImage: await ensurePauseImage(this.#daemon, info.Architecture),
        cgroups: new PodCgroups(this.#options.config.cgroupParent, info.CgroupDriver),
      }
    })()
    this.#prepared.catch(() => {
      this.#prepared = undefined
    })
    return this.#prepared
  }

  async #containersOf(uid: string): Promise<readonly RuntimeContainer[]> {
    const found = await Promise.all((await this.#inventory.containers(uid)).map(({ id }) => this.#inventory.inspect(id)))
    return found.filter((one) => one !== undefined).map(containerState)
  }

  async #createSandbox(spec: SandboxSpec, signal?: AbortSignal): Promise<ContainerInspectInfo> {
    const what = `make the sandbox of pod ${spec.namespace}/${spec.name}`
    for (let again = true; ; again = false) {
      const { pauseImage, cgroups } = await this.#prepare()
      signal?.throwIfAborted()
      const { owner, network } = this.#options.config
      const options = sandboxOptions(spec, {
        owner,
        pauseImage,
        cgroupParent: cgroups.parentOf(spec.uid),
        network: this.#addresses.dockerNetwork(network),
      })
      try {
        await this.#daemon.call(what, (docker, abortSignal) => docker.createContainer({ ...options, abortSignal }), {
          code: 'RUNTIME_INVALID_SPEC',
        })
      } catch (error) {
        const status = statusOf((error as Error).cause)
        if (status === notFound && again) {
          // Somebody cleaned up images: ours is brought back.
          this.#prepared = undefined
          continue
        }
        if (status !== conflict) throw error
      }
      return this.#inventory.awaited(options.name, this.#options.clock)
    }
  }

  async #startSandbox(spec: SandboxSpec, id: string): Promise<ContainerInspectInfo> {
    const what = `start the sandbox of pod ${spec.namespace}/${spec.name}`
    try {
      await this.#start(what, id)
    } catch (error) {
      await this.#remove(id).catch(() => {})
      throw error
    }
    return this.#inventory.requireSandbox(spec.uid)
  }

  async #createContainer(spec: ContainerSpec, name: string, holder: ContainerInspectInfo, signal?: AbortSignal): Promise<string> {
    const { cgroups } = await this.#prepare()
    const { PidMode, IpcMode } = holder.HostConfig
    const sandbox = {
      ...readSandbox(holder.Config.Labels),
      id: holder.Id,
      sharesProcesses: sharesProcesses(holder.Config.Labels),
      hostPid: PidMode === 'host',
      hostIpc: IpcMode === 'host',
    }
    const target =
      spec.targetContainer === undefined
        ? undefined
        : (await this.#inventory.requireRunning({ sandbox: spec.sandbox, name: spec.targetContainer })).id
    const options = containerOptions(spec, {
      owner: this.#options.config.owner,
      sandbox,
      cgroupParent: cgroups.parentOf(spec.sandbox),
      target,
      seccompProfile: await this.#seccompProfile(spec),
      imageUser: spec.security.group === undefined ? undefined : (await this.#images.find(spec.image))?.Config.User,
    })
    signal?.throwIfAborted()
    return this.#daemon.call(`make container "${spec.name}" of sandbox "${spec.sandbox}"`, async (docker, abortSignal) => {
      try {
        return (await docker.createContainer({ ...options, abortSignal })).id
      } catch (error) {
        if (statusOf(error) === conflict) return (await this.#inventory.awaited(name, this.#options.clock)).Id
        throw refusedContainer(spec, error)
      }
    })
  }

  /** Nothing of a container is kept that could not be started: the next try may find other circumstances. */
  async #startContainer(spec: ContainerSpec, id: string): Promise<void> {
    try {
      await this.#start(`start container "${spec.name}" of sandbox "${spec.sandbox}"`, id)
    } catch (error) {
      if (statusOf((error as Error).cause) !== undefined) await this.#remove(id).catch(() => {})
      throw error
    }
  }

  #start(what: string, id: string): Promise<void> {
    return this.#daemon.call(
      what,
      async (docker, abortSignal) => {
        try {
          await docker.getContainer(id).start({ abortSignal })
        } catch (error) {
          if (statusOf(error) !== 304) throw error
        }
      },
      { code: 'RUNTIME_START_FAILED' },
    )
  }

  async #remove(id: string): Promise<void> {
    const { clock } = this.#options
    await this.#daemon.find(`remove container ${id}`, async (docker, abortSignal) => {
      for (;;) {
        try {
          return await docker.getContainer(id).remove({ force: true, v: true, abortSignal })
        } catch (error) {
          // Somebody else removes it just now: it is gone when the daemon does not know it any more.
          if (statusOf(error) !== conflict) throw error
          await clock.sleep(removingMs, abortSignal)
        }
      }
    })
  }

  async #seccompProfile({ name, security: { seccomp } }: ContainerSpec): Promise<string | undefined> {
    if (seccomp?.type !== 'Localhost') return undefined
    const root = resolve(this.#options.config.seccompProfiles)
    const path = join(root, seccomp.localhostProfile ?? '')
    const content = path.startsWith(root + sep) ? await readFile(path, 'utf8').catch(() => undefined) : undefined
    if (content !== undefined) return content
    throw new RuntimeError('RUNTIME_INVALID_SPEC', `container "${name}" wants the seccomp profile ${path}, which cannot be read`, {
      hint: `put the profile below ${root}`,
    })
  }
}

const removingMs = 20

function refusedContainer(spec: ContainerSpec, error: unknown): unknown {
  const status = statusOf(error)
  if (status === undefined) return error
  const about = `container "${spec.name}" of sandbox "${spec.sandbox}"`
  const text = saying(error)
  if (status === notFound && /no such image/i.test(text))
    return new RuntimeError('RUNTIME_IMAGE_NOT_PRESENT', `image "${spec.image}" of ${about} is not present`, { cause: error })
  return new RuntimeError('RUNTIME_INVALID_SPEC', `Docker refuses ${about}: ${text}`, { cause: error })
}
