import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '@continuo/core'

const busy = 5

/**
 * The right to a data directory: one process, one store. It is the kernel's lock on a file, taken through SQLite because Node has no
 * call for it, so it ends with the process however that ends. The holder's id stands beside it, for the message only.
 */
export class DataLock {
  readonly #db: DatabaseSync
  readonly #holderFile: string

  private constructor(db: DatabaseSync, holderFile: string) {
    this.#db = db
    this.#holderFile = holderFile
  }

  /** Throws `STORE_LOCKED` with the id of the process that holds it. */
  static acquire(directory: string): DataLock {
    const holderFile = join(directory, 'store.pid')
    const db = new DatabaseSync(join(directory, 'store.lock'), { timeout: 0 })
    try {
      db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    } catch (cause) {
      db.close()
      if (((cause as { errcode?: number }).errcode ?? 0) % 256 !== busy) {
        throw new StoreError('STORE_UNAVAILABLE', `cannot lock the data directory ${directory}`, { cause })
      }
      throw new StoreError('STORE_LOCKED', `the data directory ${directory} is in use by process ${holderOf(holderFile)}`, {
        hint: 'Stop that process, or choose another directory.',
        cause,
      })
    }
    writeFileSync(holderFile, `${process.pid}\n`)
    return new DataLock(db, holderFile)
  }

  release(): void {
    rmSync(this.#holderFile, { force: true })
    this.#db.close()
  }
}

function holderOf(holderFile: string): string {
  try {
    return readFileSync(holderFile, 'utf8').trim() || '(starting)'
  } catch {
    return '(starting)'
  }
}
