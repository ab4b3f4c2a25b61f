import type { DatabaseSync } from 'node:sqlite'
import { firstIdOf, readMeta, revisionOf } from '../database.ts'
import type { CommitReply, CommitRequest } from '../protocol.ts'

type Row = readonly (number | Uint8Array)[]

interface Current {
  readonly id: number
  readonly created: number
}

/** Reads a flat list from front to back. */
class Operands {
  readonly #ops: readonly (string | number)[]
  readonly #values: Uint8Array
  #next = 0
  #offset = 0

  constructor({ ops, values }: CommitRequest) {
    this.#ops = ops
    this.#values = values
  }

  get done(): boolean {
    return this.#next >= this.#ops.length
  }

  number(): number {
    return this.#ops[this.#next++] as number
  }

  key(): string {
    return this.#ops[this.#next++] as string
  }

  value(length: number): Uint8Array {
    this.#offset += length
    return this.#values.subarray(this.#offset - length, this.#offset)
  }
}

/**
 * Applies groups of transactions: each by itself as to its conditions, revision and effect, all of them with one commit and one
 * write to disk. A group fails or succeeds as a whole.
 */
export class Committer {
  readonly #db: DatabaseSync
  readonly #statements: ReturnType<typeof prepare>
  #head: number
  #answers: number[] = []
  #previous: Uint8Array[] = []
  #committing = false

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#statements = prepare(db)
    this.#head = readMeta(db, 'head')
  }

  /** Whether an error that `commit` threw came from making it durable. */
  get committing(): boolean {
    return this.#committing
  }

  commit(request: CommitRequest): CommitReply {
    const before = this.#head
    this.#answers = []
    this.#previous = []
    this.#committing = false
    try {
      this.#statements.begin.run()
      for (const operands = new Operands(request); !operands.done; ) this.#apply(operands)
      if (this.#head > before) this.#statements.setHead.run(this.#head)
      this.#committing = true
      this.#statements.commit.run()
    } catch (error) {
      this.#head = before
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
    return { type: 'committed', answers: this.#answers, values: concat(this.#previous) }
  }

  #apply(operands: Operands): void {
    const conditions = operands.number()
    const writes = operands.number()
    const failed: number[] = []
    for (let index = 0; index < conditions; index++) {
      const current = this.#current(operands.key())
      if ((current === undefined ? 0 : revisionOf(current.id)) !== operands.number()) failed.push(index, ...this.#entry(current))
    }
    if (failed.length > 0) {
      for (let index = 0; index < writes; index++) {
        operands.key()
        operands.value(Math.max(0, operands.number()))
      }
      this.#answers.push(0, this.#head, failed.length / 4, ...failed)
      return
    }
    const at = this.#answers.push(1, 0)
    const revision = this.#head + 1
    let written = 0
    for (let index = 0; index < writes; index++) {
      const key = operands.key()
      const length = operands.number()
      if (this.#write(key, length === -1 ? undefined : operands.value(length), firstIdOf(revision) + index)) written++
    }
    if (written > 0) this.#head = revision
    this.#answers[at - 1] = this.#head
  }

  #write(key: string, value: Uint8Array | undefined, id: number): boolean {
    const current = this.#current(key)
    if (value === undefined && current === undefined) {
      this.#answers.push(0, 0, 0, 0)
      return false
    }
    const created = current?.created ?? revisionOf(id)
    this.#answers.push(created, ...this.#entry(current))
    this.#statements.insert.run(id, key, created, current?.id ?? 0, value === undefined ? 1 : 0, value ?? noValue)
    if (value === undefined) this.#statements.deleteCurrent.run(key)
    else this.#statements.setCurrent.run(key, id, created)
    return true
  }

  #current(key: string): Current | undefined {
    const row = this.#statements.current.get(key) as unknown as Row | undefined
    return row === undefined ? undefined : { id: row[0] as number, created: row[1] as number }
  }

  /** The numbers of an entry for the answer; its value is put behind those before it. */
  #entry(current: Current | undefined): [number, number, number] {
    if (current === undefined) return [0, 0, 0]
    const value = (this.#statements.value.get(current.id) as unknown as Row)[0] as Uint8Array
    this.#previous.push(value)
    return [revisionOf(current.id), current.created, value.byteLength]
  }
}

const noValue = new Uint8Array(0)

function prepare(db: DatabaseSync) {
  const rows = (sql: string) => {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    return statement
  }
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    current: rows('SELECT id, created FROM current WHERE key = ?'),
    value: rows('SELECT value FROM version WHERE id = ?'),
    insert: db.prepare('INSERT INTO version (id, key, created, previous, deleted, value) VALUES (?, ?, ?, ?, ?, ?)'),
    setCurrent: db.prepare(
      'INSERT INTO current (key, id, created) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET id = excluded.id, created = excluded.created',
    ),
    deleteCurrent: db.prepare('DELETE FROM current WHERE key = ?'),
    setHead: db.prepare("UPDATE meta SET value = ? WHERE name = 'head'"),
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.byteLength
  }
  return whole
}
