import type { Clock } from '@continuo/core'
import { type ContainerRef, type RuntimeContainer, RuntimeError, type RuntimeSandbox } from '@continuo/workload'
import { containerState } from './container-state.ts'
import type { ContainerInfo, ContainerInspectInfo, Daemon } from './daemon/daemon.ts'
import { containerLabel, ownerLabel, readContainer, readSandbox, roleLabel, sandboxName, uidLabel } from './labels.ts'

/** A container of ours as the daemon's list has it. */
export interface FoundContainer {
  readonly id: string
  readonly name: string
  readonly attempt: number
  readonly tty: boolean
  readonly running: boolean
}

/** How many containers are looked at side by side. */
const atOnce = 16
/** How long, and how often, a container is looked for that is being made. */
const makingMs = 10_000
const lookMs = 20

/**
 * Finds what is ours on the daemon, each time by asking it. The list tells too little, so each container is looked at as well; what
 * cannot change any more until its state does is kept, one entry for each container.
 */
export class Inventory {
  readonly #daemon: Daemon
  readonly #owner: string
  #details = new Map<string, ContainerInspectInfo>()

  constructor(daemon: Daemon, owner: string) {
    this.#daemon = daemon
    this.#owner = owner
  }

  /** `ips` gives the addresses of a sandbox that is ready. */
  async sandboxes(ips: (holder: ContainerInspectInfo) => Promise<readonly string[]>): Promise<readonly RuntimeSandbox[]> {
    const listed = await this.#list([])
    const details = await this.#inspectAll(listed)
    const byUid = Map.groupBy(details, ({ Config }) => Config.Labels[uidLabel] ?? '')
    return Promise.all(Array.from(byUid.values(), (members) => this.#sandbox(members, ips)))
  }

  async sandbox(uid: string): Promise<ContainerInspectInfo | undefined> {
    return this.inspect(sandboxName(this.#owner, uid))
  }

  /** Throws `RUNTIME_NOT_FOUND`. */
  async requireSandbox(uid: string): Promise<ContainerInspectInfo> {
    const found = await this.sandbox(uid)
    if (found === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `sandbox "${uid}" not found`)
    return found
  }

  /** By id or name. */
  inspect(container: string): Promise<ContainerInspectInfo | undefined> {
    return this.#daemon.find(`look at container ${container}`, (docker, abortSignal) =>
      docker.getContainer(container).inspect({ abortSignal }),
    )
  }

  /** What somebody else makes just now: its name is taken a moment before it can be looked at. */
  async awaited(name: string, clock: Clock): Promise<ContainerInspectInfo> {
    for (let waited = 0; waited < makingMs; waited += lookMs) {
      const found = await this.inspect(name)
      if (found !== undefined) return found
      await clock.sleep(lookMs)
    }
    throw new RuntimeError('RUNTIME_UNAVAILABLE', `container ${name} cannot be made: its name is taken, and nothing has it`, {
      hint: 'restart dockerd if it stays so',
    })
  }

  /** Ids of everything in a sandbox; the container that holds it comes last. */
  async members(uid: string): Promise<readonly string[]> {
    const holderLast = (entry: ContainerInfo): number => Number(entry.Labels[roleLabel] === 'sandbox')
    const listed = await this.#list([`${uidLabel}=${uid}`])
    return [...listed].sort((a, b) => holderLast(a) - holderLast(b)).map(({ Id }) => Id)
  }

  /** The containers of a sandbox, or those of one name; attempts ascend. */
  async containers(uid: string, name?: string): Promise<readonly FoundContainer[]> {
    const listed = await this.#list([
      `${uidLabel}=${uid}`,
      `${roleLabel}=container`,
      ...(name === undefined ? [] : [`${containerLabel}=${name}`]),
    ])
    return listed
      .map(({ Id, Labels, State }) => {
        const { name: own, attempt, tty } = readContainer(Labels)
        return { id: Id, name: own, attempt, tty, running: State === 'running' || State === 'paused' }
      })
      .sort((a, b) => a.attempt - b.attempt)
  }

  /** The attempt that is named, else the latest. Throws `RUNTIME_NOT_FOUND`. */
  async require({ sandbox, name, attempt }: ContainerRef): Promise<FoundContainer> {
    const found = (await this.containers(sandbox, name)).findLast((one) => attempt === undefined || one.attempt === attempt)
    if (found === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `container "${name}" not found in sandbox "${sandbox}"`)
    return found
  }

  /** The attempt that is named, else the one before the latest. Throws `RUNTIME_NOT_FOUND`. */
  async requirePrevious(ref: ContainerRef): Promise<FoundContainer> {
    if (ref.attempt !== undefined) return this.require(ref)
    const previous = (await this.containers(ref.sandbox, ref.name)).at(-2)
    if (previous === undefined)
      throw new RuntimeError('RUNTIME_NOT_FOUND', `previous terminated container "${ref.name}" not found in sandbox "${ref.sandbox}"`)
    return previous
  }

  async requireRunning(ref: ContainerRef): Promise<FoundContainer> {
    const found = await this.require(ref)
    if (!found.running) throw new RuntimeError('RUNTIME_NOT_FOUND', `container "${ref.name}" of sandbox "${ref.sandbox}" is not running`)
    return found
  }

  #list(labels: readonly string[]): Promise<readonly ContainerInfo[]> {
    const filters = { label: [`${ownerLabel}=${this.#owner}`, ...labels] }
    return this.#daemon.call('list containers', (docker, abortSignal) => docker.listContainers({ all: true, filters, abortSignal }))
  }

  async #inspectAll(listed: readonly ContainerInfo[]): Promise<readonly ContainerInspectInfo[]> {
    const known = this.#details
    const found: ContainerInspectInfo[] = []
    const waiting = listed.filter(({ State }) => State !== 'removing')
    const look = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const kept = known.get(next.Id)
        const details = kept?.State.Status === next.State ? kept : await this.inspect(next.Id)
        if (details !== undefined) found.push(details)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, look))
    this.#details = new Map(found.map((details) => [details.Id, details]))
    return found
  }

  async #sandbox(
    members: readonly ContainerInspectInfo[],
    ips: (holder: ContainerInspectInfo) => Promise<readonly string[]>,
  ): Promise<RuntimeSandbox> {
    const holder = members.find(({ Config }) => Config.Labels[roleLabel] === 'sandbox')
    const containers = members.filter((member) => member !== holder).map(containerState)
    const identity = readSandbox((holder ?? members[0])?.Config.Labels ?? {})
    const ready = holder?.State.Status === 'running'
    return {
      // Containers without the one that holds their namespaces: somebody removed it, and the sandbox must be made again.
      id: holder?.Id ?? '',
      ...identity,
      state: ready ? 'ready' : 'notready',
      ips: ready ? await ips(holder) : [],
      createdAt: holder === undefined ? 0 : Date.parse(holder.Created),
      containers: containers.sort(byNameAndAttempt),
    }
  }
}

const byNameAndAttempt = (a: RuntimeContainer, b: RuntimeContainer): number =>
  a.name === b.name ? a.attempt - b.attempt : a.name < b.name ? -1 : 1
