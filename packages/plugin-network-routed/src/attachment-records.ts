import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@continuo/core'
import type { HostPort } from '@continuo/workload'

/** What is kept of one attached sandbox. */
export interface Attachment {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly ip: string
  readonly link: string
  readonly netns: string
  /** The namespace is ours: made by `attach`, removed by `detach`. */
  readonly own: boolean
  /** Inode of the namespace that was connected; unset until it is. */
  readonly inode?: number
  readonly hostPorts: readonly HostPort[]
}

/** Keeps attachments in a directory, a file for each, replaced as a whole. Nothing is synced: what a power cut takes it takes from the kernel too. */
export class AttachmentRecords {
  readonly #directory: string
  readonly #log: Log

  constructor(directory: string, log: Log) {
    this.#directory = directory
    this.#log = log
  }

  /** All that can be read. A damaged one is logged and forgotten, with what it held. */
  async load(): Promise<readonly Attachment[]> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const records = (await readdir(this.#directory)).map(async (file): Promise<Attachment | undefined> => {
      const path = join(this.#directory, file)
      try {
        if (file.endsWith('.json')) return JSON.parse(await readFile(path, 'utf8')) as Attachment
      } catch (error) {
        this.#log.warn({ path, error: String(error) }, 'a damaged record of an attached pod is forgotten')
      }
      await rm(path, { force: true })
      return undefined
    })
    return (await Promise.all(records)).filter((record) => record !== undefined)
  }

  async save(record: Attachment): Promise<void> {
    const path = this.#path(record.uid)
    await writeFile(`${path}.new`, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  async remove(uid: string): Promise<void> {
    await rm(this.#path(uid), { force: true })
  }

  #path(uid: string): string {
    return join(this.#directory, `${encodeURIComponent(uid)}.json`)
  }
}
