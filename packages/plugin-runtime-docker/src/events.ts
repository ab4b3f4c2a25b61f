import type { Clock, Log } from '@continuo/core'
import type { RuntimeEvent } from '@continuo/workload'
import type { Daemon } from './daemon/daemon.ts'
import { readJsonLines } from './images/progress.ts'
import { containerLabel, type Labels, ownerLabel, uidLabel } from './labels.ts'

interface DaemonEvent {
  readonly time: number
  readonly Actor: { readonly Attributes: Labels }
}

/** Not all: probes by exec alone would make two events a second for each container. */
const told = ['create', 'start', 'die', 'oom', 'destroy']

const firstRetryMs = 200
const lastRetryMs = 5_000

export interface EventsOptions {
  readonly daemon: Daemon
  readonly clock: Clock
  readonly log: Log
  readonly owner: string
  /** Everything that may have changed while the daemon was away. */
  sandboxes(): Promise<readonly string[]>
}

/**
 * Hints that something of ours changed, until the signal aborts. When the daemon goes, it waits for it, and then hints at everything: what
 * happened meanwhile nobody tells.
 */
export async function* followEvents(options: EventsOptions, signal: AbortSignal): AsyncGenerator<RuntimeEvent, void, undefined> {
  const { daemon, clock, log, owner, sandboxes } = options
  let retryMs = firstRetryMs
  let lost = false
  while (!signal.aborted) {
    try {
      const filters = JSON.stringify({ type: ['container'], event: told, label: [`${ownerLabel}=${owner}`] })
      const source = await daemon.stream('follow events', { method: 'GET', path: '/events', query: { filters }, signal })
      if (lost) for (const sandbox of await sandboxes()) yield { sandbox }
      if (lost) log.info({}, 'Docker is there again')
      lost = false
      retryMs = firstRetryMs
      const leave = (): void => void source.destroy()
      signal.addEventListener('abort', leave, { once: true })
      try {
        for await (const { Actor } of readJsonLines<DaemonEvent>(source)) {
          const container = Actor.Attributes[containerLabel]
          yield { sandbox: Actor.Attributes[uidLabel] ?? '', ...(container === undefined ? {} : { container }) }
        }
      } finally {
        signal.removeEventListener('abort', leave)
        source.destroy()
      }
    } catch (error) {
      if (!signal.aborted && !lost) log.warn({ err: error }, 'lost the events of Docker; looking for it again')
    }
    if (signal.aborted) return
    lost = true
    await clock.sleep(retryMs, signal).catch(() => {})
    retryMs = Math.min(lastRetryMs, retryMs * 2)
  }
}
