import { lstat, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ContinuoError } from '@continuo/core'

/** What a pod has mounted, so that it can be unmounted when the pod itself is known to nobody any more. */
export interface VolumeRecord {
  readonly namespace: string
  readonly podName: string
  readonly volumes: readonly { readonly name: string; readonly type: string }[]
}

/** Keeps a record for each pod in `<root>/<uid>/volumes.json`. */
export class VolumeRecords {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  directory(uid: string, volume: string): string {
    return join(this.#root, uid, 'volumes', volume)
  }

  async save(uid: string, record: VolumeRecord): Promise<void> {
    const path = join(this.#root, uid, 'volumes.json')
    await mkdir(join(this.#root, uid, 'volumes'), { recursive: true })
    await writeFile(`${path}.new`, JSON.stringify(record))
    await rename(`${path}.new`, path)
  }

  /** Undefined when nothing was mounted for the pod, or nothing that can be read. */
  async load(uid: string): Promise<VolumeRecord | undefined> {
    try {
      return JSON.parse(await readFile(join(this.#root, uid, 'volumes.json'), 'utf8')) as VolumeRecord
    } catch {
      return undefined
    }
  }

  /** Removes the record and the empty directories around it. What a driver left in place stays: it may be somebody's data. */
  async remove(uid: string): Promise<void> {
    await rm(join(this.#root, uid, 'volumes.json'), { force: true })
    for (const directory of [join(this.#root, uid, 'volumes'), join(this.#root, uid)]) await rmdir(directory).catch(() => {})
  }

  /**
   * Removes the directory of a pod that left no record. Throws `NODE_VOLUME` and removes nothing when something is mounted below it:
   * without its driver nobody can tell whose data that is.
   */
  async discard(uid: string): Promise<void> {
    const volumes = join(this.#root, uid, 'volumes')
    const root = await lstat(this.#root).catch(() => undefined)
    for (const name of await readdir(volumes).catch(() => [])) {
      if ((await lstat(join(volumes, name))).dev !== root?.dev)
        throw new ContinuoError('NODE_VOLUME', `${join(volumes, name)} belongs to no pod and something is mounted there`, {
          hint: 'unmount it; the directory is removed at the next start of the agent',
        })
    }
    await rm(join(this.#root, uid), { recursive: true, force: true, maxRetries: 3 })
  }

  async uids(): Promise<readonly string[]> {
    return readdir(this.#root).catch(() => [])
  }
}
