import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { VolumeFile } from './payload.ts'

/**
 * Writes a set of files so that a reader sees either the old set or the new one: files live in a time-stamped directory,
 * `..data` is a symbolic link to it that is swapped by one rename, and the visible names are links through `..data`.
 * The layout is that of Kubernetes' volumes, which programs watch for (`..data` changes).
 * @returns whether anything changed
 */
export async function writeAtomically(directory: string, files: readonly VolumeFile[]): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const current = await readlink(join(directory, '..data')).catch(() => undefined)
  if (current !== undefined && (await holds(join(directory, current), files))) return false

  const fresh = await mkdtemp(`${directory}/..v-`)
  await chmod(fresh, 0o755)
  for (const file of files) {
    const path = join(fresh, file.path)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, file.data)
    await chmod(path, file.mode)
  }
  const link = join(directory, '..data_tmp')
  await rm(link, { force: true })
  await symlink(fresh.slice(directory.length + 1), link)
  await rename(link, join(directory, '..data'))
  await showNames(directory, files)
  if (current !== undefined) await rm(join(directory, current), { recursive: true, force: true })
  return true
}

/** One visible link for each first path segment; links of files that are gone go too. */
async function showNames(directory: string, files: readonly VolumeFile[]): Promise<void> {
  const wanted = new Set(files.map((file) => file.path.split('/', 1)[0] as string))
  for (const name of await readdir(directory))
    if (!name.startsWith('..') && !wanted.has(name)) await rm(join(directory, name), { force: true })
  for (const name of wanted) {
    if ((await readlink(join(directory, name)).catch(() => undefined)) === undefined)
      await symlink(join('..data', name), join(directory, name))
  }
}

async function holds(directory: string, files: readonly VolumeFile[]): Promise<boolean> {
  const present = (await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])).filter((entry) => entry.isFile())
  if (present.length !== files.length) return false
  for (const file of files) {
    const path = join(directory, file.path)
    const bytes = await readFile(path).catch(() => undefined)
    if (bytes === undefined || Buffer.compare(bytes, file.data) !== 0) return false
    if (((await stat(path)).mode & 0o777) !== (file.mode & 0o777)) return false
  }
  return true
}
