import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import type { Store } from '../store/store.ts'

export interface CompactionOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** How long a replaced version stays readable, in milliseconds. */
  readonly retentionMs: number
}

/**
 * Forgets old versions, so that each stays readable for the retention and at most twice as long. It alone compacts the store:
 * every period it compacts to the head of the period before. Runs until the signal aborts; a failure is logged and tried again.
 */
export async function runCompaction({ store, clock, log, retentionMs }: CompactionOptions, signal: AbortSignal): Promise<void> {
  let before: number | undefined
  while (!signal.aborted) {
    try {
      const head = await store.head()
      if (before !== undefined && before > (await store.compactedRevision())) await store.compact(before)
      before = head
    } catch (error) {
      if (signal.aborted) return
      log.warn({ error: error instanceof Error ? error.message : String(error) }, 'compaction failed and will be tried again')
    }
    try {
      await clock.sleep(retentionMs, signal)
    } catch {
      return
    }
  }
}
