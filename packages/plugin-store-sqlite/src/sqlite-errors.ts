import { StoreError } from '@continuo/core'
import { dataFormat } from './database.ts'
import type { SqliteFailure } from './protocol.ts'

// https://www.sqlite.org/rescode.html, the low byte of an extended code
const corrupt = 11
const notADatabase = 26
const full = 13
const ioError = 10

/**
 * Maps an error of SQLite. A full disk leaves nothing behind; an error of the disk while the commit was made durable may have left
 * the whole of it in the log, to be found after a crash: the outcome is unknown.
 */
export function storeErrorOf({ message, errcode, committing }: SqliteFailure, file: string): StoreError {
  const code = errcode & 0xff
  if (code === corrupt || code === notADatabase) {
    return new StoreError('STORE_CORRUPT', `the database ${file} is damaged: ${message}`, {
      hint: 'Restore a snapshot into an empty directory.',
    })
  }
  if (code === full) {
    return new StoreError('STORE_UNAVAILABLE', `the database ${file} cannot grow: ${message}`, {
      hint: 'Free space on its disk, or raise maxBytes.',
    })
  }
  if (committing && code === ioError) return new StoreError('STORE_OUTCOME_UNKNOWN', `the commit to ${file} failed half-way: ${message}`)
  return new StoreError('STORE_UNAVAILABLE', `the database ${file} refused: ${message}`)
}

export const failureOf = (error: unknown): SqliteFailure => {
  const { message, errcode } = error as { message?: string; errcode?: number }
  return { message: message ?? String(error), errcode: errcode ?? 0, committing: false }
}

export const newerFormat = (file: string, found: number): StoreError =>
  new StoreError('STORE_FORMAT', `the database ${file} has format ${found}, this release reads up to ${dataFormat}`, {
    hint: 'Install the release that wrote it, or a newer one; or restore a snapshot of it into an empty directory.',
  })

export const closedError = (): StoreError => new StoreError('STORE_CLOSED', 'the store is closed')
