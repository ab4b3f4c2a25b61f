import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  ContinuoError,
  isContinuoError,
  isStoreError,
  readVersionBase,
  refuseUnfinishedRestore,
  restoreSnapshot,
  type Store,
  systemClock,
  writeSnapshot,
} from '@continuo/core'
import { type StoreFlags, withStore } from '../cluster/open-store.ts'
import { createPinoLog } from '../log/pino-log.ts'
import { writeAtomically } from '../snapshot/write-atomically.ts'
import { untilInterrupted } from './run-cluster.ts'

export interface SnapshotFlags extends StoreFlags {
  readonly replace?: boolean
}

/** `continuo snapshot save FILE` and `continuo snapshot restore FILE`. */
export async function snapshot(action: 'save' | 'restore', file: string, flags: SnapshotFlags): Promise<void> {
  const abort = new AbortController()
  void untilInterrupted().then(() => abort.abort(new ContinuoError('SNAPSHOT_INTERRUPTED', `snapshot ${action} was interrupted`)))
  const path = resolve(file)
  try {
    process.stdout.write(`${await (action === 'save' ? save : restore)(path, flags, abort.signal)}\n`)
  } catch (error) {
    throw explained(error, path)
  }
}

const log = () => createPinoLog({ level: 'warn', pretty: process.stderr.isTTY === true })

const save = (path: string, flags: SnapshotFlags, signal: AbortSignal): Promise<string> =>
  withStore(flags, log(), async (store) => {
    await refuseUnfinishedRestore(store)
    const { count, revision } = await store.list('', { limit: 1 })
    if (count === 0) throw new ContinuoError('SNAPSHOT_STORE', 'the store is empty', { hint: 'Check --config and --data-dir.' })
    const bytes = await writeAtomically(path, writeSnapshot(store, { base: await readVersionBase(store) }), signal)
    return `saved ${path}: ${count} keys of about revision ${revision}, ${(bytes / 1_000_000).toFixed(1)} MB`
  })

async function restore(path: string, flags: SnapshotFlags, signal: AbortSignal): Promise<string> {
  await access(path)
  return withStore(flags, log(), async (store: Store) => {
    const options = { clock: systemClock, replace: flags.replace === true, signal }
    const { entries, base } = await restoreSnapshot(store, () => createReadStream(path), options)
    return `restored ${entries} keys from ${path}; resource versions go on above ${base}`
  })
}

/** Errors of the store and of the file in the words of this command. */
function explained(error: unknown, path: string): unknown {
  if (isStoreError(error, 'STORE_COMPACTED')) {
    return new ContinuoError('SNAPSHOT_SLOW', 'the snapshot took longer than the store keeps old revisions', {
      hint: 'Save again, at a quieter time or with a longer compactionRetentionSeconds.',
      cause: error,
    })
  }
  const { syscall, message } = error as NodeJS.ErrnoException
  if (isContinuoError(error) || syscall === undefined) return error
  return new ContinuoError('SNAPSHOT_FILE', `the snapshot ${path} cannot be read or written: ${message}`, { cause: error })
}
