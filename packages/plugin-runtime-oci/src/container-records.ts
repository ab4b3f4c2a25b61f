import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContainerRecord, parseExit, parseStart, type ShimExit, type ShimStart } from '@continuo/lib-container-shim'
import { RuntimeError, type SandboxSpec } from '@continuo/workload'

/** What is written down about a sandbox. */
export interface SandboxRecord {
  readonly spec: SandboxSpec
  readonly ips: readonly string[]
  /** Path of its network namespace; unset on the host's network. */
  readonly netns?: string
  readonly createdAt: number
}

const segment = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/

/** Refuses names that would lead out of the directory. */
function checked(name: string): string {
  if (!segment.test(name))
    throw new RuntimeError('RUNTIME_INVALID_SPEC', `${JSON.stringify(name)} cannot be the name of a sandbox or container`)
  return name
}

/**
 * The runtime's memory: `<uid>/sandbox.json` and `<uid>/containers/<name>.<attempt>/` with `container.json`, the shim's files, the log, the
 * bundle and the upper directory of the root file system. A directory without its record was never made, and is made again.
 */
export class ContainerRecords {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  sandboxPath(uid: string): string {
    return join(this.#root, checked(uid))
  }

  containerPath(uid: string, name: string, attempt: number): string {
    return join(this.sandboxPath(uid), 'containers', `${checked(name)}.${attempt}`)
  }

  async sandboxes(): Promise<readonly SandboxRecord[]> {
    const records = await Promise.all((await entries(this.#root)).filter((name) => segment.test(name)).map((uid) => this.sandbox(uid)))
    return records.filter((record) => record !== undefined)
  }

  sandbox(uid: string): Promise<SandboxRecord | undefined> {
    return readRecord(join(this.sandboxPath(uid), 'sandbox.json'))
  }

  saveSandbox(record: SandboxRecord): Promise<void> {
    return writeRecord(join(this.sandboxPath(record.spec.uid), 'sandbox.json'), record)
  }

  /** Removes the record first, so that a removal which breaks off leaves no sandbox that looks whole. */
  async removeSandbox(uid: string): Promise<void> {
    await rm(join(this.sandboxPath(uid), 'sandbox.json'), { force: true })
    await rm(this.sandboxPath(uid), { recursive: true, force: true, maxRetries: 3 })
  }

  /** In the order of their attempts. */
  async containers(uid: string): Promise<readonly ContainerRecord[]> {
    const path = join(this.sandboxPath(uid), 'containers')
    const records = await Promise.all((await entries(path)).map((name) => readRecord<ContainerRecord>(join(path, name, 'container.json'))))
    return records.filter((record) => record !== undefined).sort((a, b) => a.spec.attempt - b.spec.attempt)
  }

  container(uid: string, name: string, attempt: number): Promise<ContainerRecord | undefined> {
    return readRecord(join(this.containerPath(uid, name, attempt), 'container.json'))
  }

  /** An empty directory for a container, with those of its root file system. */
  async prepareContainer(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true })
    for (const name of ['upper', 'work', 'merged']) await mkdir(join(path, name), { recursive: true, mode: 0o755 })
  }

  saveContainer(path: string, record: ContainerRecord): Promise<void> {
    return writeRecord(join(path, 'container.json'), record)
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

async function entries(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (absent(error)) return []
    throw error
  }
}

async function readRecord<T>(path: string): Promise<T | undefined> {
  const text = await readText(path)
  if (text === '') return undefined
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new RuntimeError('RUNTIME_UNAVAILABLE', `${path} is damaged`, { cause, hint: 'remove the file; what it described is forgotten' })
  }
}

async function writeRecord(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(value), { mode: 0o600 })
  await rename(`${path}.new`, path)
}
