import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a file, readable by its owner alone, that appears under its name when it is complete and on disk, and not at all otherwise. Returns its bytes. */
export async function writeAtomically(path: string, parts: AsyncIterable<string>, signal?: AbortSignal): Promise<number> {
  const partial = `${path}.partial`
  let bytes = 0
  try {
    await using file = await open(partial, 'w', 0o600)
    for await (const part of parts) {
      signal?.throwIfAborted()
      bytes += (await file.write(part)).bytesWritten
    }
    await file.sync()
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  await rename(partial, path)
  await using directory = await open(dirname(path), 'r')
  await directory.sync()
  return bytes
}
