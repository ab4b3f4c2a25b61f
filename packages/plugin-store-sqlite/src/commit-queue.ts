import {
  type CommitResult,
  type StoreBatch,
  type StoreEntry,
  StoreError,
  type StoreEvent,
  type StoreTransaction,
  type StoreWrite,
} from '@continuo/core'
import type { CommitReply, CommitRequest } from './protocol.ts'

/** Most of one group: what one commit to disk carries. */
const groupSize = 512
const groupBytes = 8 << 20
/** Groups that the worker has or will find when it is done: two, so that it never waits for the other thread. */
const groupsInFlight = 2
/** What may wait. Beyond it a commit is refused. */
const queueSize = 20_000
const queueBytes = 128 << 20

interface Waiting {
  readonly transaction: StoreTransaction
  readonly bytes: number
  readonly resolve: (result: CommitResult) => void
  readonly reject: (error: StoreError) => void
}

/** Gathers commits into groups: those that come while a group is on its way to disk form the next. */
export class CommitQueue {
  readonly #send: (request: CommitRequest) => void
  readonly #onBatch: (batch: StoreBatch) => void
  readonly #inFlight: (readonly Waiting[])[] = []
  #waiting: Waiting[] = []
  #bytes = 0
  #scheduled = false

  constructor(send: (request: CommitRequest) => void, onBatch: (batch: StoreBatch) => void) {
    this.#send = send
    this.#onBatch = onBatch
  }

  add(transaction: StoreTransaction, bytes: number): Promise<CommitResult> {
    if (this.#waiting.length >= queueSize || this.#bytes + bytes > queueBytes) {
      return Promise.reject(
        new StoreError('STORE_UNAVAILABLE', `${this.#waiting.length} commits wait for the disk`, {
          hint: 'Write more slowly, or use a faster disk.',
        }),
      )
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        transaction: { conditions: transaction.conditions, writes: transaction.writes.map(ownWrite) },
        bytes,
        resolve,
        reject,
      })
      this.#bytes += bytes
      if (this.#scheduled) return
      this.#scheduled = true
      queueMicrotask(() => {
        this.#scheduled = false
        this.#flush()
      })
    })
  }

  /** The answers to the oldest group in flight. Events go out before the commits resolve. */
  settle(reply: CommitReply): void {
    const group = this.#inFlight.shift() ?? []
    const answers = new Answers(reply)
    const settled = group.map(({ transaction, resolve }) => {
      const { result, batch } = answers.next(transaction)
      if (batch !== undefined) this.#onBatch(batch)
      return () => resolve(result)
    })
    for (const settle of settled) settle()
    this.#flush()
  }

  /** The oldest group in flight failed as a whole. */
  fail(error: StoreError): void {
    for (const { reject } of this.#inFlight.shift() ?? []) reject(error)
    this.#flush()
  }

  /** Nothing will be answered any more. */
  abandon(inFlight: StoreError, waiting: StoreError): void {
    for (const group of this.#inFlight.splice(0)) for (const { reject } of group) reject(inFlight)
    for (const { reject } of this.#waiting.splice(0)) reject(waiting)
    this.#bytes = 0
  }

  get idle(): boolean {
    return this.#inFlight.length === 0 && this.#waiting.length === 0
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight.length < groupsInFlight) {
      let bytes = 0
      let size = 0
      while (size < this.#waiting.length && size < groupSize && (size === 0 || bytes < groupBytes))
        bytes += (this.#waiting[size++] as Waiting).bytes
      const group = this.#waiting.splice(0, size)
      this.#bytes -= bytes
      this.#inFlight.push(group)
      this.#send(requestOf(group))
    }
  }
}

/** The caller may reuse its bytes. */
const ownWrite = (write: StoreWrite): StoreWrite => (write.type === 'put' ? { ...write, value: new Uint8Array(write.value) } : write)

function requestOf(group: readonly Waiting[]): CommitRequest {
  const ops: (string | number)[] = []
  let length = 0
  for (const { transaction } of group) {
    ops.push(transaction.conditions.length, transaction.writes.length)
    for (const { key, modRevision } of transaction.conditions) ops.push(key, modRevision)
    for (const write of transaction.writes) {
      ops.push(write.key, write.type === 'put' ? write.value.byteLength : -1)
      if (write.type === 'put') length += write.value.byteLength
    }
  }
  const values = new Uint8Array(length)
  let offset = 0
  for (const { transaction } of group) {
    for (const write of transaction.writes) {
      if (write.type !== 'put') continue
      values.set(write.value, offset)
      offset += write.value.byteLength
    }
  }
  return { type: 'commit', ops, values }
}

/** Reads the worker's answers from front to back. */
class Answers {
  readonly #answers: readonly number[]
  readonly #values: Uint8Array
  #next = 0
  #offset = 0

  constructor({ answers, values }: CommitReply) {
    this.#answers = answers
    this.#values = values
  }

  next({ conditions, writes }: StoreTransaction): { result: CommitResult; batch?: StoreBatch } {
    const committed = this.#number() === 1
    const revision = this.#number()
    if (!committed) {
      const failed = Array.from({ length: this.#number() }, () => {
        const key = conditions[this.#number()]?.key ?? ''
        return { key, current: this.#entry(key) }
      })
      return { result: { committed, revision, failed } }
    }
    const events: StoreEvent[] = []
    for (const write of writes) {
      const createRevision = this.#number()
      const previous = this.#entry(write.key)
      if (createRevision === 0) continue
      const value = write.type === 'put' ? write.value : noValue
      const event = { type: write.type, key: write.key, value, createRevision }
      events.push(previous === undefined ? event : { ...event, previous })
    }
    return events.length === 0 ? { result: { committed, revision } } : { result: { committed, revision }, batch: { revision, events } }
  }

  #number(): number {
    return this.#answers[this.#next++] as number
  }

  #entry(key: string): StoreEntry | undefined {
    const modRevision = this.#number()
    const createRevision = this.#number()
    const length = this.#number()
    this.#offset += length
    return modRevision === 0
      ? undefined
      : { key, value: this.#values.subarray(this.#offset - length, this.#offset), createRevision, modRevision }
  }
}

const noValue = new Uint8Array(0)
