import type { Clock } from '@continuo/core'
import type { Daemon } from './daemon/daemon.ts'
import { statusOf } from './daemon/daemon-error.ts'
import type { Inventory } from './inventory.ts'

/** How long the daemon may take to end what it kills. */
const killMs = 60_000

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
  const ended = daemon.call(
    `wait for the end of container ${id}`,
    async (docker, late) => {
      await docker.getContainer(id).wait({ condition: 'not-running', abortSignal: AbortSignal.any([left.signal, late]) } as never)
      return true
    },
    { deadlineMs: graceMs + killMs },
  )
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
    if (await send(daemon, id, 'SIGKILL')) await ended
  } finally {
    left.abort()
  }
}
