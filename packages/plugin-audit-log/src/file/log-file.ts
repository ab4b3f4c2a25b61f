import { appendFile, mkdir, open, readdir, rename, rm, stat, truncate } from 'node:fs/promises'
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

  /** Appends whole lines. Rejects with the file system's error; what was written of them is taken back, at once or before the next are written. */
  async append(text: string, now: number): Promise<void> {
    const bytes = Buffer.from(text)
    this.#size ??= await this.#open()
    if (this.#size > 0 && this.#size + bytes.length > this.#rotation.maxBytes) await this.#rotate(now)
    try {
      await appendFile(this.#path, bytes, { mode: 0o600 })
    } catch (error) {
      await truncate(this.#path, this.#size).catch(() => {})
      // Somebody may have moved the file or its directory: it is looked at anew.
      this.#size = undefined
      throw error
    }
    this.#size += bytes.length
  }

  async #open(): Promise<number> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    const size = await stat(this.#path).then(
      (found) => found.size,
      () => 0,
    )
    return size === 0 ? 0 : withoutTornLine(this.#path, size)
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

/** Cuts off what stands behind the last whole line, as a process leaves it that is killed while it writes. Returns the size that is left. */
async function withoutTornLine(path: string, size: number): Promise<number> {
  const file = await open(path, 'r+')
  try {
    const chunk = Buffer.alloc(Math.min(size, 65_536))
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - chunk.length)
      const { bytesRead } = await file.read(chunk, 0, end - start, start)
      const newline = chunk.subarray(0, bytesRead).lastIndexOf(0x0a)
      if (newline >= 0) {
        const whole = start + newline + 1
        if (whole < size) await file.truncate(whole)
        return whole
      }
      end = start
    }
    await file.truncate(0)
    return 0
  } finally {
    await file.close()
  }
}

const timeOf = (name: string, at: number): number => Date.parse(name.slice(at, at + 24).replace(/T(\d\d)-(\d\d)-(\d\d)/, 'T$1:$2:$3'))

/** Which of the files put aside are too old or too many. `at` is where the time stands in their names. Pure. */
export function expired(names: readonly string[], now: number, { maxAgeMs, maxBackups }: Rotation, at: number): readonly string[] {
  const newestFirst = [...names].sort().reverse()
  return newestFirst.filter((name, index) => (maxBackups > 0 && index >= maxBackups) || (maxAgeMs > 0 && now - timeOf(name, at) > maxAgeMs))
}
