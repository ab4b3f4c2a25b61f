import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContainerRecord } from '@continuo/lib-container-shim'
import { encodeSpec, parseExit, parseStart, type ShimExit, type ShimStart } from '@continuo/lib-container-shim'
import { RuntimeError, type SandboxSpec } from '@continuo/workload'
import type { LaunchPlan } from './launch-plan.ts'

/** What is written down about a sandbox. */
export interface SandboxRecord {
  readonly spec: Pick<SandboxSpec, 'uid' | 'namespace' | 'name' | 'hostname' | 'hostNetwork'>
  readonly ip: string
  readonly createdAt: number
  /** Its `resolv.conf` lies beside the record. */
  readonly resolvConf?: boolean
}

const segment = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/

/** Refuses names that would lead out of the state directory. */
function checked(name: string): string {
  if (!segment.test(name))
    throw new RuntimeError('RUNTIME_INVALID_SPEC', `${JSON.stringify(name)} cannot be the name of a sandbox or container`)
  return name
}

/**
 * The runtime's memory: `sandboxes/<uid>/sandbox.json` and `sandboxes/<uid>/containers/<name>.<attempt>/` with `container.json`,
 * the shim's files, the log and the root directory. Whatever is not complete was never made: records are written to a temporary
 * name and renamed, and a directory without its record is ignored and made again.
 */
export class StateDirectory {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  get root(): string {
    return this.#root
  }

  sandboxPath(uid: string): string {
    return join(this.#root, 'sandboxes', checked(uid))
  }

  containerPath(uid: string, name: string, attempt: number): string {
    return join(this.sandboxPath(uid), 'containers', `${checked(name)}.${attempt}`)
  }

  async sandboxes(): Promise<readonly SandboxRecord[]> {
    const names = await entries(join(this.#root, 'sandboxes'))
    const records = await Promise.all(names.filter((name) => segment.test(name)).map((uid) => this.sandbox(uid)))
    return records.filter((record) => record !== undefined)
  }

  sandbox(uid: string): Promise<SandboxRecord | undefined> {
    return readJson<SandboxRecord>(join(this.sandboxPath(uid), 'sandbox.json'))
  }

  resolvConfPath(uid: string): string {
    return join(this.sandboxPath(uid), 'resolv.conf')
  }

  /** @param resolvConf text of the file that its containers find at `/etc/resolv.conf` */
  async saveSandbox(record: SandboxRecord, resolvConf?: string): Promise<void> {
    const path = this.sandboxPath(record.spec.uid)
    await mkdir(join(path, 'containers'), { recursive: true, mode: 0o755 })
    if (resolvConf !== undefined) await writeFile(this.resolvConfPath(record.spec.uid), resolvConf, { mode: 0o644 })
    await writeJson(join(path, 'sandbox.json'), record)
  }

  /** Forgets the record first, so that a removal which breaks off leaves no sandbox that looks whole. */
  async removeSandbox(uid: string): Promise<void> {
    const path = this.sandboxPath(uid)
    await rm(join(path, 'sandbox.json'), { force: true })
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }

  async containers(uid: string): Promise<readonly ContainerRecord[]> {
    const path = join(this.sandboxPath(uid), 'containers')
    const records = await Promise.all((await entries(path)).map((name) => readJson<ContainerRecord>(join(path, name, 'container.json'))))
    return records.filter((record) => record !== undefined).sort((a, b) => a.spec.attempt - b.spec.attempt)
  }

  container(uid: string, name: string, attempt: number): Promise<ContainerRecord | undefined> {
    return readJson<ContainerRecord>(join(this.containerPath(uid, name, attempt), 'container.json'))
  }

  /** Prepares everything that the shim needs; the record is written last. `chown` is called for each directory that is the container's own. */
  async saveContainer(path: string, record: ContainerRecord, plan: LaunchPlan, chown: (path: string) => Promise<void>): Promise<void> {
    await rm(path, { recursive: true, force: true })
    await mkdir(path, { recursive: true, mode: 0o755 })
    const rootfs = join(path, 'rootfs')
    await mkdir(rootfs)
    for (const directory of plan.directories) await mkdir(directory, { recursive: true })
    for (const link of plan.links) await symlink(link.target, link.path)
    for (const directory of new Set([rootfs, ...plan.directories])) await chown(directory)
    await writeFile(join(path, 'spec'), encodeSpec(plan.shim), { mode: 0o600 })
    await writeJson(join(path, 'container.json'), record)
  }

  async removeContainer(path: string): Promise<void> {
    await rm(join(path, 'container.json'), { force: true })
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** The shim's record of the start, if there is one. */
export const readStart = async (path: string): Promise<ShimStart | undefined> => parseStart(await readText(join(path, 'start')))

/** The shim's record of the end, if there is one. */
export const readExit = async (path: string): Promise<ShimExit | undefined> => parseExit(await readText(join(path, 'exit')))

const absent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (absent(error)) return ''
    throw error
  }
}

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readText(path)
  if (text === '') return undefined
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new RuntimeError('RUNTIME_UNAVAILABLE', `${path} is damaged`, {
      cause,
      hint: 'remove the file; what it described is forgotten',
    })
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`, {
    mode: 0o600,
    flush: true,
  })
  await rename(`${path}.new`, path)
}

async function entries(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (absent(error)) return []
    throw error
  }
}
