import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ContinuoError } from '@continuo/core'

/** Makes a directory with its parents, readable by its owner alone. Throws `DIRECTORY` with a sentence when it cannot be there. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await makeStep(path)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in its place' : message
    throw new ContinuoError('DIRECTORY', `the directory ${path} cannot be made: ${why}`, { hint: 'name another one with --data-dir' })
  }
}

/** Step by step: Node's recursive mkdir never ends in file systems that take no new directory, such as /proc. */
async function makeStep(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return
  const parent = dirname(path)
  if (found === undefined && parent !== path) await makeStep(parent)
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    // Somebody else was quicker.
    if (error.code !== 'EEXIST' || found !== undefined) throw error
  })
}
