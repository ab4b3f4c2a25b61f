import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ContinuoError } from '@continuo/core'
import { z } from 'zod'

const stored = z.strictObject({
  version: z.literal(1),
  /** The one that signs, with its private half. */
  current: z.strictObject({ privateKey: z.string(), since: z.number() }),
  /** Public halves of those that signed before, and when they ceased to. */
  retired: z.array(z.strictObject({ publicKey: z.string(), until: z.number() })),
})

/** The keys of a cluster as they lie on the disk, PEM. Times are wall milliseconds. */
export type StoredKeys = z.infer<typeof stored>

/** What is there; undefined for no file. Throws `TOKEN_KEYS_UNREADABLE`. */
export async function readKeys(file: string): Promise<StoredKeys | undefined> {
  try {
    return stored.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ContinuoError('TOKEN_KEYS_UNREADABLE', `cannot read the keys of service account tokens in ${file}`, {
      hint: 'make it readable for the user of this process, or remove it: every token is refused then, and a new key is made',
      cause,
    })
  }
}

/** Writes whole or not at all, for the owner alone, and on the disk when it resolves. Throws `TOKEN_KEYS_NOT_WRITABLE`. */
export async function writeKeys(file: string, keys: StoredKeys): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(`${JSON.stringify(keys, undefined, 2)}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (cause) {
    throw new ContinuoError('TOKEN_KEYS_NOT_WRITABLE', `cannot write the keys of service account tokens to ${file}`, {
      hint: 'the data directory must be writable',
      cause,
    })
  }
}
