import type { DatabaseSync } from 'node:sqlite'
import { firstIdOf, readMeta } from '../database.ts'

/** Revisions whose replaced versions are deleted in one transaction: a few milliseconds of work between two groups of commits. */
const chunk = 200

/** Forgets what was replaced: the mark at once, the versions bit by bit. A restart goes on where it stopped. */
export class Compactor {
  readonly #db: DatabaseSync
  #compacted: number
  #swept: number

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#compacted = readMeta(db, 'compacted')
    this.#swept = readMeta(db, 'swept')
  }

  get done(): boolean {
    return this.#swept >= this.#compacted
  }

  compact(revision: number): void {
    if (revision <= this.#compacted) return
    this.#db.prepare("UPDATE meta SET value = ? WHERE name = 'compacted'").run(revision)
    this.#compacted = revision
  }

  /** Deletes the versions that were replaced, and the deletions that happened, in the next revisions. */
  sweep(): void {
    const end = Math.min(this.#swept + chunk, this.#compacted)
    const range = [firstIdOf(this.#swept + 1), firstIdOf(end + 1)]
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      this.#db
        .prepare('DELETE FROM version WHERE id IN (SELECT previous FROM version WHERE id >= ? AND id < ? AND previous > 0)')
        .run(...range)
      this.#db.prepare('DELETE FROM version WHERE id >= ? AND id < ? AND deleted = 1').run(...range)
      this.#db.prepare("UPDATE meta SET value = ? WHERE name = 'swept'").run(end)
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
    this.#swept = end
  }
}
