import type { ResourceClient, WatchEvent } from '../client/object-client.ts'
import type { Clock } from '../clock/clock.ts'
import { hasReason } from '../errors/api-error.ts'
import type { Log } from '../log/log.ts'
import type { KubeObject } from '../objects/object.ts'
import type { Random } from '../random/random.ts'

const pageSize = 500
const firstBackoffMs = 100
const longestBackoffMs = 30_000

export interface ReflectorTarget<T extends KubeObject> {
  /** The whole state at a version. */
  replace(objects: readonly T[], resourceVersion: string): void
  event(event: WatchEvent<T>): void
  /** The resource is not served (any more). */
  absent(): void
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: () => Promise<ResourceClient<T>>
  readonly select: {
    readonly namespace?: string
    readonly labelSelector?: string
    readonly fieldSelector?: string
  }
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly target: ReflectorTarget<T>
  /** Asks for the initial state as a stream (WatchList) instead of pages. Default false. */
  readonly streamingList?: boolean
  /** Resolves when waiting for an absent resource may be over. */
  readonly retryAbsent?: (signal: AbortSignal) => Promise<void>
}

/** Full jitter upwards: between the delay and twice the delay, so that many clients do not come back at once. */
export const jitteredBackoff = (failures: number, random: Random): number =>
  Math.min(firstBackoffMs * 2 ** Math.min(failures, 20), longestBackoffMs) * (1 + random.next())

/** The server asks for a version that it does not have (yet): a store was replaced or restored. */
const isUnknownVersion = (error: unknown): boolean =>
  hasReason(error, 'Timeout', 'BadRequest') && /too large resource version|invalid resource version/i.test(error.message)

/**
 * Feeds a target from list and watch until the signal aborts. It resumes a watch that ended from the last version that it saw,
 * lists again after 410, and waits with a growing, jittered delay after errors.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>
  #version: string | undefined
  #failures = 0

  constructor(options: ReflectorOptions<T>) {
    this.#options = options
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#turn(signal)
        this.#failures = 0
      } catch (error) {
        if (signal.aborted) return
        await this.#recover(error, signal).catch(() => {})
      }
    }
  }

  /** One list if needed, then one watch until it ends. */
  async #turn(signal: AbortSignal): Promise<void> {
    const { client, clock, random, select } = this.#options
    const resource = await client()
    if (this.#version === undefined && this.#options.streamingList !== true) await this.#list(resource, signal)
    if (signal.aborted) return
    const initial = this.#version === undefined
    const begun = clock.monotonic()
    const events = await resource.watch({
      ...select,
      ...(initial
        ? {
            sendInitialEvents: true,
            resourceVersionMatch: 'NotOlderThan' as const,
          }
        : { resourceVersion: this.#version }),
      allowWatchBookmarks: true,
      // Spread over five to ten minutes, so that a server that restarts is not asked by all at once for ever after.
      timeoutSeconds: Math.round(300 * (1 + random.next())),
      signal,
    })
    let seen = 0
    let state: T[] | undefined = initial ? [] : undefined
    for await (const event of events) {
      if (signal.aborted) return
      state = this.#take(event, state)
      seen += 1
      if (seen === 1) this.#failures = 0
    }
    // A server that ends watches at once must not be asked in a tight loop.
    if (!signal.aborted && seen === 0 && clock.monotonic() - begun < 1_000) {
      await clock.sleep(jitteredBackoff(this.#failures, random), signal).catch(() => {})
    }
  }

  async #list(resource: ResourceClient<T>, signal: AbortSignal): Promise<void> {
    const { select, target } = this.#options
    const items: T[] = []
    let next: string | undefined
    let version = ''
    do {
      const page = await resource.list({
        ...select,
        limit: pageSize,
        continue: next,
        signal,
      })
      items.push(...page.items)
      version = page.metadata.resourceVersion ?? ''
      next = page.metadata.continue === '' ? undefined : page.metadata.continue
    } while (next !== undefined && !signal.aborted)
    if (signal.aborted) return
    this.#version = version
    target.replace(items, version)
  }

  /** While a streamed list is under way its objects are gathered in `state`, up to the bookmark that closes it. */
  #take(event: WatchEvent<T>, state: T[] | undefined): T[] | undefined {
    if (state === undefined) {
      this.#version = event.type === 'BOOKMARK' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? this.#version)
      this.#options.target.event(event)
      return undefined
    }
    if (event.type === 'BOOKMARK' && event.initialEventsEnd === true) {
      this.#version = event.resourceVersion
      this.#options.target.replace(state, event.resourceVersion)
      return undefined
    }
    if (event.type === 'ADDED') state.push(event.object)
    return state
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, log, random, target, retryAbsent } = this.#options
    if (hasReason(error, 'Expired', 'Gone') || isUnknownVersion(error)) {
      this.#version = undefined
      log.debug({ err: error }, 'informer lists again')
      this.#failures += 1
      // At once, but not again and again: a server may refuse the version that it has just given.
      if (this.#failures === 1) return
    }
    if (retryAbsent !== undefined && hasReason(error, 'NotFound')) {
      this.#version = undefined
      target.absent()
      return retryAbsent(signal)
    }
    const delay = jitteredBackoff(this.#failures, random)
    this.#failures += 1
    log.warn({ err: error, retryMs: Math.round(delay) }, 'informer lost its watch')
    await clock.sleep(delay, signal)
  }
}
