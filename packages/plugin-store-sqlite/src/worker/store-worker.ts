import type { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { openForWriting, readMeta } from '../database.ts'
import type { SqliteFailure, WorkerReply, WorkerRequest, WorkerSetup } from '../protocol.ts'
import { Committer } from './committer.ts'
import { Compactor } from './compactor.ts'

/** How many times the sweep is tried again after an error before it waits for the next compaction. */
const sweepAttempts = 3

const failureOf = (error: unknown, committing: boolean): SqliteFailure => {
  const { message, errcode } = error as { message?: string; errcode?: number }
  return { message: message ?? String(error), errcode: errcode ?? 0, committing }
}

function serve(port: MessagePort, db: DatabaseSync): void {
  const committer = new Committer(db)
  const compactor = new Compactor(db)
  let sweeping = false
  let attempts = 0
  const reply = (message: WorkerReply, transfer: readonly ArrayBuffer[] = []): void => port.postMessage(message, transfer)

  const sweep = (): void => {
    sweeping = false
    if (!db.isOpen || compactor.done) return
    try {
      compactor.sweep()
      attempts = 0
    } catch {
      attempts++
    }
    if (attempts < sweepAttempts) scheduleSweep()
  }
  const scheduleSweep = (): void => {
    if (sweeping) return
    sweeping = true
    setImmediate(sweep)
  }

  const handle = (request: WorkerRequest): void => {
    if (request.type === 'commit') {
      const answer = committer.commit(request)
      reply(answer, [answer.values.buffer as ArrayBuffer])
    } else if (request.type === 'compact') {
      compactor.compact(request.revision)
      attempts = 0
      scheduleSweep()
      reply({ type: 'compacted' })
    } else {
      db.close()
      reply({ type: 'closed' })
      port.close()
    }
  }

  port.on('message', (request: WorkerRequest) => {
    try {
      handle(request)
    } catch (error) {
      reply({ type: 'failed', failure: failureOf(error, request.type === 'commit' && committer.committing) })
    }
  })
  reply({ type: 'ready', head: readMeta(db, 'head'), compacted: readMeta(db, 'compacted') })
  scheduleSweep()
}

function start(port: MessagePort, { file, maxBytes }: WorkerSetup): void {
  try {
    const db = openForWriting(file, maxBytes)
    if ('found' in db) port.postMessage({ type: 'format', found: db.found } satisfies WorkerReply)
    else serve(port, db)
  } catch (error) {
    port.postMessage({ type: 'failed', failure: failureOf(error, false) } satisfies WorkerReply)
  }
}

if (parentPort !== null) start(parentPort, workerData as WorkerSetup)
