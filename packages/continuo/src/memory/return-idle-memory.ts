import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Cancel, Clock } from '@continuo/core'

export interface IdleMemoryOptions {
  readonly clock: Clock
  /** Share of the time since the last call that the event loop was busy, 0 to 1. */
  readonly busyShare?: () => number
  /** Bytes of live and dead objects. */
  readonly heapBytes?: () => number
  /** Collects everything and gives pages back to the system; holds the thread meanwhile. */
  readonly collect?: () => void
}

const lookMs = 5_000
/** Below it nobody waits for an answer, most likely. */
const idleShare = 0.05
/** Above it a collection would hold the thread for longer than a client should notice. */
const maxHeapBytes = 256 * 1024 * 1024
/** V8 keeps its young generation as large as the last burst of work made it: worth a collection only after one. */
const burstShare = 0.2

/**
 * Gives memory back once after the start, and once after each burst of work, as soon as the process rests: V8 by itself
 * never shrinks the young generation of a process that allocates little. Returns what ends it.
 */
export function returnIdleMemory({
  clock,
  busyShare = measuredShare(),
  heapBytes = () => process.memoryUsage().heapUsed,
  collect = collector(),
}: IdleMemoryOptions): Cancel {
  let isDue = true
  let cancel: Cancel
  const look = (): void => {
    const share = busyShare()
    if (share > burstShare) isDue = true
    else if (isDue && share < idleShare && heapBytes() < maxHeapBytes) {
      isDue = false
      collect()
    }
    cancel = clock.after(lookMs, look)
  }
  cancel = clock.after(lookMs, look)
  return () => cancel()
}

function measuredShare(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}

type Gc = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void

/** V8 hands its collector out only under a flag, which is set for as long as that takes. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as Gc
  setFlagsFromString('--no-expose-gc')
  return () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
