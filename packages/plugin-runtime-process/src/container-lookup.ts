import { type ContainerRecord, containerState as decideState, isAlive, readBootId } from '@continuo/lib-container-shim'
import { type ContainerRef, type RuntimeContainer, RuntimeError, type RuntimeSandbox } from '@continuo/workload'
import { readExit, readStart, type SandboxRecord, type StateDirectory } from './state-directory.ts'

/** A container with its sandbox and the directory of its shim. */
export interface FoundContainer {
  readonly sandbox: SandboxRecord
  readonly record: ContainerRecord
  readonly path: string
}

/** Finds containers and tells their state, each time from what is on disk and in `/proc`. Throws `RUNTIME_NOT_FOUND`. */
export class ContainerLookup {
  readonly #state: StateDirectory
  readonly #onRunning: (path: string) => void
  readonly #boot = readBootId()

  /** `onRunning` is called with the directory of each container that is seen running. */
  constructor(state: StateDirectory, onRunning: (path: string) => void) {
    this.#state = state
    this.#onRunning = onRunning
  }

  async requireSandbox(uid: string): Promise<SandboxRecord> {
    const record = await this.#state.sandbox(uid)
    if (record === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `sandbox "${uid}" not found`)
    return record
  }

  async require(ref: ContainerRef): Promise<FoundContainer> {
    const sandbox = await this.requireSandbox(ref.sandbox)
    const all = await this.#state.containers(ref.sandbox)
    const record = all.findLast(({ spec }) => spec.name === ref.name && (ref.attempt === undefined || spec.attempt === ref.attempt))
    if (record === undefined) throw new RuntimeError('RUNTIME_NOT_FOUND', `container "${ref.name}" not found in sandbox "${ref.sandbox}"`)
    return { sandbox, record, path: this.pathOf(ref.sandbox, record) }
  }

  /** The attempt before the latest, or the one that is named. */
  async requirePrevious(ref: ContainerRef): Promise<FoundContainer> {
    const latest = await this.require(ref)
    if (ref.attempt !== undefined) return latest
    const earlier = (await this.#state.containers(ref.sandbox)).findLast(
      ({ spec }) => spec.name === ref.name && spec.attempt < latest.record.spec.attempt,
    )
    if (earlier === undefined)
      throw new RuntimeError('RUNTIME_NOT_FOUND', `previous terminated container "${ref.name}" not found in sandbox "${ref.sandbox}"`)
    return this.require({ ...ref, attempt: earlier.spec.attempt })
  }

  async requireRunning(ref: ContainerRef): Promise<{ path: string }> {
    const { sandbox, record, path } = await this.require(ref)
    const { state } = await this.containerState(sandbox, record)
    if (state !== 'running') throw new RuntimeError('RUNTIME_NOT_FOUND', `container "${ref.name}" is not running, it is ${state}`)
    return { path }
  }

  async sandboxState(record: SandboxRecord): Promise<RuntimeSandbox> {
    const { uid, namespace, name } = record.spec
    const containers = await Promise.all((await this.#state.containers(uid)).map((container) => this.containerState(record, container)))
    return {
      id: uid,
      uid,
      namespace,
      name,
      state: 'ready',
      ips: [record.ip],
      createdAt: record.createdAt,
      containers,
    }
  }

  async containerState({ spec }: SandboxRecord, record: ContainerRecord): Promise<RuntimeContainer> {
    const path = this.pathOf(spec.uid, record)
    const start = await readStart(path)
    const shimAlive = start !== undefined && isAlive({ boot: start.boot, pid: start.shim, start: start.shimStart }, this.#boot)
    // The exit is read last: a shim that we saw dead has written it before it died.
    const exit = await readExit(path)
    const state = decideState({
      record,
      start,
      exit,
      shimAlive,
      sameBoot: start?.boot === this.#boot,
    })
    if (state.state === 'running') this.#onRunning(path)
    return state
  }

  pathOf(uid: string, { spec }: ContainerRecord): string {
    return this.#state.containerPath(uid, spec.name, spec.attempt)
  }
}
