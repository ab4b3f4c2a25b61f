import { appendFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

export interface Rotation {
  /** A file that would grow above it is put aside. */
  readonly maxBytes: number
  /** Files that were put aside longer ago are removed; 0 keeps them. */
  readonly maxAgeMs: number
  /** Of those put aside the newest are kept; 0 keeps all. */
  readonly maxBackups: number
}

/** A file that only its owner can read, and that is put aside as `NAME-TIME.EXT` when it is full. One writer at a time. */
export class LogFile {
  readonly #path: string
  readonly #rotation: Rotation
  #size: number | undefined

  constructor(path: string, rotation: Rotation) {
    this.#path = path
    this.#rotation = rotation
  }

  /** Appends whole lines. Rejects with the file system's error; what was written of them may then be written again. */
  async append(text: string, now: number): Promise<void> {
    const bytes = Buffer.from(text)
    this.#size ??= await this.#open()
    if (this.#size > 0 && this.#size + bytes.length > this.#rotation.maxBytes) await this.#rotate(now)
    try {
      await appendFile(this.#path, bytes, { mode: 0o600 })
    } catch (error) {
      // Somebody may have moved the file or its directory: it is looked at anew.
      this.#size = undefined
      throw error
    }
    this.#size += bytes.length
  }

  async #open(): Promise<number> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    return stat(this.#path).then(
      ({ size }) => size,
      () => 0,
    )
  }

  async #rotate(now: number): Promise<void> {
    const extension = extname(this.#path)
    const stem = basename(this.#path, extension)
    const time = new Date(now).toISOString().replaceAll(':', '-')
    const kept = await this.#backups(stem, extension)
    let name = `${stem}-${time}${extension}`
    for (let again = 1; kept.includes(name); again++) name = `${stem}-${time}.${String(again).padStart(4, '0')}${extension}`
    await rename(this.#path, join(dirname(this.#path), name))
    this.#size = 0
    for (const old of expired([...kept, name], now, this.#rotation, stem.length + 1))
      await rm(join(dirname(this.#path), old), { force: true })
  }

  async #backups(stem: string, extension: string): Promise<readonly string[]> {
    const names = await readdir(dirname(this.#path))
    return names.filter((name) => name.startsWith(`${stem}-`) && name.endsWith(extension) && !Number.isNaN(timeOf(name, stem.length + 1)))
  }
}

const timeOf = (name: string, at: number): number => Date.parse(name.slice(at, at + 24).replace(/T(\d\d)-(\d\d)-(\d\d)/, 'T$1:$2:$3'))

/** Which of the files put aside are too old or too many. `at` is where the time stands in their names. Pure. */
export function expired(names: readonly string[], now: number, { maxAgeMs, maxBackups }: Rotation, at: number): readonly string[] {
  const newestFirst = [...names].sort().reverse()
  return newestFirst.filter((name, index) => (maxBackups > 0 && index >= maxBackups) || (maxAgeMs > 0 && now - timeOf(name, at) > maxAgeMs))
}
