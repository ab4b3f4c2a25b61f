import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kernel } from './kernel.ts'

const absent = (error: unknown): undefined => {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
  throw error
}

/** Inode of the namespace at a path; undefined when nothing is there. */
export const namespaceInode = async (path: string): Promise<number | undefined> => (await stat(path).catch(absent))?.ino

/** The mount points of a directory that hold network namespaces. The kernel writes spaces and the like as octal numbers. */
export function mountedNamespaces(mountinfo: string, directory: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const path = (before.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    if (after.startsWith('nsfs ') && path.startsWith(`${directory}/`)) found.add(path)
  }
  return found
}

/** Network namespaces of pods: files of one directory on which the kernel's namespaces are mounted, so that they need no process to live. */
export class NamespaceDirectory {
  readonly #directory: string
  readonly #kernel: Kernel

  constructor(directory: string, kernel: Kernel) {
    this.#directory = directory
    this.#kernel = kernel
  }

  path(uid: string): string {
    return join(this.#directory, encodeURIComponent(uid))
  }

  async mounted(): Promise<ReadonlySet<string>> {
    return mountedNamespaces(await readFile('/proc/self/mountinfo', 'utf8'), this.#directory)
  }

  /** Makes the file on which a namespace can be mounted. */
  async prepare(path: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o711 })
    await (await open(path, 'a', 0o444)).close()
  }

  /** Idempotent. What still runs in the namespace keeps it alive, without its interfaces. */
  async remove(path: string): Promise<void> {
    while ((await this.mounted()).has(path)) await this.#kernel.run(['umount', '--lazy', path])
    await rm(path, { force: true })
  }

  /** Removes all but those that are named. */
  async keepOnly(paths: ReadonlySet<string>): Promise<void> {
    const files = await readdir(this.#directory).catch(absent)
    for (const file of files ?? []) {
      const path = join(this.#directory, file)
      if (!paths.has(path)) await this.remove(path)
    }
  }
}
