import { type Clock, withDeadline } from '@continuo/core'
import type { Daemon } from './daemon/daemon.ts'
import { runtimeError, statusOf } from './daemon/daemon-error.ts'
import type { Inventory } from './inventory.ts'

/** How long the daemon may take to end what it kills. */
const killMs = 60_000

/**
 * Resolves with true when the container does not run any more. The answer begins at once and ends then; when it is cut off instead, the
 * daemon has gone and nobody knows.
 */
async function untilEnded(daemon: Daemon, id: string, signal: AbortSignal): Promise<true> {
  const what = `wait for the end of container ${id}`
  const dial = { method: 'POST', path: `/containers/${id}/wait`, query: { condition: 'not-running' }, signal } as const
  const answer = await daemon.stream(what, dial)
  signal.addEventListener('abort', () => answer.destroy(), { once: true })
  try {
    await answer.toArray()
  } catch (error) {
    throw runtimeError(error, what, 'RUNTIME_UNAVAILABLE')
  }
  return true
}

/** Sends a signal. Resolves false when there is nothing that runs any more. */
async function send(daemon: Daemon, id: string, signal: string): Promise<boolean> {
  return daemon.call(`send ${signal} to container ${id}`, async (docker, abortSignal) => {
    try {
      await docker.getContainer(id).kill({ signal, abortSignal })
      return true
    } catch (error) {
      if (statusOf(error) === 404 || statusOf(error) === 409) return false
      throw error
    }
  })
}

/**
 * The stop signal, at most `graceMs` of waiting, then SIGKILL. Resolves when the container has ended; throws when the signal aborts. The
 * daemon's own stop knows whole seconds only, and cannot be cut short.
 */
export async function stopContainer(
  daemon: Daemon,
  clock: Clock,
  inventory: Inventory,
  id: string,
  graceMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const state = await inventory.inspect(id)
  if (state === undefined || !state.State.Running) return
  const left = new AbortController()
  const ended = untilEnded(daemon, id, left.signal)
  ended.catch(() => {})
  const gentle = (state.Config as { StopSignal?: string }).StopSignal || 'SIGTERM'
  try {
    if (graceMs > 0 && (await send(daemon, id, gentle))) {
      const patience = new AbortController()
      signal?.addEventListener('abort', () => patience.abort(), { once: true })
      if (signal?.aborted) patience.abort()
      const over = clock.sleep(graceMs, patience.signal).then(
        () => false,
        () => false,
      )
      const done = await Promise.race([ended, over])
      patience.abort()
      if (done) return
      signal?.throwIfAborted()
    }
    if (await send(daemon, id, 'SIGKILL')) await withDeadline(clock, killMs, `the end of container ${id}`, () => ended)
  } finally {
    left.abort()
  }
}
