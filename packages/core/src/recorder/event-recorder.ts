import type { ObjectClient } from '../client/object-client.ts'
import type { Clock } from '../clock/clock.ts'
import { hasReason } from '../errors/api-error.ts'
import type { Log } from '../log/log.ts'
import type { DeepReadonly, KubeObject } from '../objects/object.ts'
import { type Correlated, type CorrelatorLimits, EventCorrelator } from './correlator.ts'
import { distinctSuffix, type EventTarget, type Occurrence, recordedEvents, targetOf } from './recorded-event.ts'

/** Tells people what happened to an object: what `kubectl describe` lists under Events. */
export interface EventRecorder {
  /** Records without waiting and never throws. `about` is an object or a reference to one. */
  event(
    about: DeepReadonly<KubeObject> | EventTarget,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    more?: Pick<Occurrence, 'action' | 'related'>,
  ): void
  /** Resolves when everything that was recorded so far has been written or given up. */
  flush(): Promise<void>
  /** Takes no more events; resolves as {@link EventRecorder.flush} does. */
  close(): Promise<void>
}

export interface EventRecorderOptions extends CorrelatorLimits {
  readonly client: ObjectClient
  readonly clock: Clock
  readonly log: Log
  /** Shown as the event's source, such as `deployment-controller`. */
  readonly component: string
  readonly host?: string
  /** Ends retries. */
  readonly signal?: AbortSignal
  /** Occurrences waiting to be written; more are dropped and counted in the log. Default 1,000. */
  readonly queue?: number
  /** Attempts to write one event while the API is unavailable. Default 4, a second apart and doubling. */
  readonly attempts?: number
}

const isObject = (about: DeepReadonly<KubeObject> | EventTarget): about is DeepReadonly<KubeObject> => 'metadata' in about

/**
 * A recorder that writes through an object client, in the background and one at a time. Repeated occurrences raise the count of one event;
 * the rate per object is limited (see {@link EventCorrelator}); failures are logged at debug level and never reach the caller.
 * @example const events = createEventRecorder({ client: ctx.client, clock: ctx.clock, log: ctx.log, component: 'my-controller', signal: ctx.signal })
 */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const correlator = new EventCorrelator(options)
  const limit = options.queue ?? 1000
  const waiting: Occurrence[] = []
  let sequence = 0
  let closed = false
  let draining: Promise<void> | undefined

  async function drain(): Promise<void> {
    // Never ends before its promise has been assigned: otherwise `draining` would stay set for good.
    await undefined
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const now = options.clock.now()
      const correlated = correlator.correlate(next, options, now, distinctSuffix(now, sequence++))
      if (correlated.type !== 'drop') await writeWithRetries(correlated)
    }
    draining = undefined
  }

  async function writeWithRetries(correlated: Exclude<Correlated, { type: 'drop' }>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write(correlated)
      } catch (error) {
        const passing = hasReason(error, 'ServiceUnavailable', 'Timeout', 'ServerTimeout', 'TooManyRequests')
        if (!passing || attempt >= (options.attempts ?? 4) || options.signal?.aborted === true) {
          correlator.forget(correlated.event)
          options.log.debug({ error, event: correlated.event.metadata.name, reason: correlated.event.reason }, 'event was not recorded')
          return
        }
        await options.clock.sleep(1000 * 2 ** (attempt - 1), options.signal).catch(() => {})
      }
    }
  }

  async function write({ type, event }: Exclude<Correlated, { type: 'drop' }>): Promise<void> {
    const client = options.client.for(recordedEvents)
    if (type === 'count') {
      const { count, lastTimestamp, message } = event
      const at = { namespace: event.metadata.namespace as string, name: event.metadata.name }
      try {
        await client.patch(at, { type: 'merge', body: { count, lastTimestamp, message } })
        return
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error
      }
    }
    await client.create(structuredClone(event))
  }

  return {
    event(about, type, reason, message, more) {
      if (closed) return
      if (waiting.length >= limit) {
        options.log.warn({ component: options.component, limit, reason }, 'event was dropped: too many are waiting')
        return
      }
      waiting.push({ about: isObject(about) ? targetOf(about) : about, type, reason, message, ...more })
      draining ??= drain()
    },
    async flush() {
      while (draining !== undefined) await draining
    },
    async close() {
      closed = true
      while (draining !== undefined) await draining
    },
  }
}
