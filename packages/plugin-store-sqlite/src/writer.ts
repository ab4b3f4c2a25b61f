import { Worker } from 'node:worker_threads'
import { StoreError } from '@continuo/core'
import type { CommitReply, SqliteFailure, WorkerReply, WorkerRequest, WorkerSetup } from './protocol.ts'
import { newerFormat, storeErrorOf } from './sqlite-errors.ts'

export interface WriterListener {
  onCommitted(reply: CommitReply): void
  onCommitFailed(failure: SqliteFailure): void
  /** The worker ended without being asked to; nothing runs in it any more. Called once. */
  onLost(cause: unknown): void
}

/** The worker that holds the writing connection. It answers in the order of the requests. */
export class Writer {
  readonly head: number
  readonly compacted: number
  readonly #worker: Worker
  /** Which requests are unanswered, oldest first. */
  readonly #pending: WorkerRequest['type'][] = []
  readonly #compactions: PromiseWithResolvers<void>[] = []
  readonly #ended = Promise.withResolvers<void>()
  #listener: WriterListener | undefined
  #closing = false

  constructor(worker: Worker, head: number, compacted: number) {
    this.#worker = worker
    this.head = head
    this.compacted = compacted
  }

  get isRunning(): boolean {
    return this.#worker.threadId !== -1
  }

  listen(listener: WriterListener): void {
    this.#listener = listener
    this.#worker.on('message', (reply: WorkerReply) => this.#take(reply))
    let cause: unknown
    this.#worker.on('error', (error) => {
      cause = error
    })
    this.#worker.on('exit', (code) => this.#end(cause ?? `exit code ${code}`))
  }

  send(request: WorkerRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#pending.push(request.type)
    this.#worker.postMessage(request, request.type === 'commit' ? [request.values.buffer as ArrayBuffer] : transfer)
  }

  /** Resolves when the mark is on disk; the data goes bit by bit. Rejects with a {@link SqliteFailure}. */
  compact(revision: number): Promise<void> {
    const done = Promise.withResolvers<void>()
    this.#compactions.push(done)
    this.send({ type: 'compact', revision })
    return done.promise
  }

  async close(): Promise<void> {
    if (this.#listener === undefined) this.listen({ onCommitted() {}, onCommitFailed() {}, onLost() {} })
    if (!this.#closing) {
      this.#closing = true
      this.send({ type: 'close' })
    }
    await this.#ended.promise
  }

  #take(reply: WorkerReply): void {
    const request = this.#pending.shift()
    if (reply.type === 'committed') this.#listener?.onCommitted(reply)
    else if (request === 'compact') {
      const compaction = this.#compactions.shift()
      if (reply.type === 'failed') compaction?.reject(reply.failure)
      else compaction?.resolve()
    } else if (reply.type === 'failed' && request === 'commit') this.#listener?.onCommitFailed(reply.failure)
    else if (reply.type === 'failed') void this.#worker.terminate()
  }

  #end(cause: unknown): void {
    this.#ended.resolve()
    const failure: SqliteFailure = { message: `the writer has stopped: ${cause}`, errcode: 0, committing: false }
    for (const { reject } of this.#compactions.splice(0)) reject(failure)
    if (!this.#closing) this.#listener?.onLost(cause)
  }
}

/** Starts the worker and waits until it has opened the database. Throws what the store's `open` throws. */
export function startWriter(setup: WorkerSetup): Promise<Writer> {
  const entry = new URL(import.meta.url.endsWith('.ts') ? './worker/store-worker.ts' : './worker/store-worker.js', import.meta.url)
  const worker = new Worker(entry, { workerData: setup, name: 'store-sqlite' })
  return new Promise((resolve, reject) => {
    const exited = (code: number): void => reject(new StoreError('STORE_UNAVAILABLE', `the writer of ${setup.file} ended with ${code}`))
    worker.once('error', reject)
    worker.once('exit', exited)
    worker.once('message', (reply: WorkerReply) => {
      worker.off('error', reject)
      worker.off('exit', exited)
      if (reply.type === 'ready') return resolve(new Writer(worker, reply.head, reply.compacted))
      reject(reply.type === 'format' ? newerFormat(setup.file, reply.found) : startError(reply, setup.file))
    })
  })
}

const startError = (reply: WorkerReply, file: string) =>
  storeErrorOf(
    reply.type === 'failed' ? reply.failure : { message: `unexpected answer ${reply.type}`, errcode: 0, committing: false },
    file,
  )
