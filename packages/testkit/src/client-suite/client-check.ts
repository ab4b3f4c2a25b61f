import { deepEqual } from 'node:assert/strict'
import {
  ContinuoError,
  isApiError,
  Namespace,
  type ObjectClient,
  type ResourceClient,
  type StatusReason,
  systemClock,
  type WatchEvent,
  type WatchOptions,
} from '@continuo/core'
import { Gauge } from './gauge.ts'

/** A client of a running API that serves `gaugeResource`, and how to end both. */
export interface OpenedClient {
  readonly client: ObjectClient
  /** Forgets every version of every object but the current ones: makes old resource versions expire. */
  compact(): Promise<void>
  dispose(): Promise<void>
}

/** What one check works with. */
export interface ClientBench extends OpenedClient {
  /** A namespace of its own. */
  readonly namespace: string
  readonly gauges: ResourceClient<Gauge>
  /** A gauge of that namespace, not stored yet. */
  gauge(name: string, spec?: Gauge['spec'], metadata?: Partial<Gauge['metadata']>): Gauge
  /** `namespace/name`, as locators want it. */
  at(name: string): string
}

/** One duty of every object client. `run` throws when the client neglects it. */
export interface ClientCheck {
  readonly name: string
  run(bench: ClientBench): Promise<void>
}

/** Runs one check in a namespace of its own. */
export async function runClientCheck(check: ClientCheck, opened: OpenedClient, namespace: string): Promise<void> {
  await opened.client.for(Namespace).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await check.run({
    ...opened,
    namespace,
    gauges: opened.client.for(Gauge),
    at: (name) => `${namespace}/${name}`,
    gauge: (name, spec = {}, metadata = {}) => ({
      apiVersion: 'suite.continuo.dev/v1',
      kind: 'Gauge',
      metadata: { name, namespace, ...metadata },
      spec,
    }),
  })
}

/** Checks that the promise is refused with this reason and code, and returns the error. */
export async function refusal(promise: Promise<unknown>, reason: StatusReason, code: number) {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) throw new ContinuoError('CHECK_FAILED', `${reason} was expected, but the request succeeded`)
  if (!isApiError(error))
    throw new ContinuoError('CHECK_FAILED', `${reason} was expected as an ApiError, and ${String(error)} was thrown`, { cause: error })
  deepEqual([error.reason, error.status], [reason, code], error.message)
  return error
}

const patience = 3_000

/** Waits a while for what must come soon. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const stop = new AbortController()
  const late = systemClock.sleep(patience, stop.signal).then(
    () => {
      throw new ContinuoError('CHECK_FAILED', `${what} did not come within ${patience} ms`)
    },
    () => promise,
  )
  try {
    return await Promise.race([promise, late])
  } finally {
    stop.abort()
  }
}

/** Asks again until the answer satisfies. */
export async function eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.monotonic() + patience
  while (!(await condition())) {
    if (systemClock.monotonic() > deadline) throw new ContinuoError('CHECK_FAILED', `${what} did not happen within ${patience} ms`)
    await systemClock.sleep(10)
  }
}

/** A watch that a check reads event by event. */
export class WatchReader {
  readonly #stop: AbortController
  readonly #events: AsyncIterator<WatchEvent<Gauge>>

  private constructor(stop: AbortController, events: AsyncIterable<WatchEvent<Gauge>>) {
    this.#stop = stop
    this.#events = events[Symbol.asyncIterator]()
  }

  static async open(gauges: ResourceClient<Gauge>, options: WatchOptions): Promise<WatchReader> {
    const stop = new AbortController()
    return new WatchReader(stop, await within(gauges.watch({ ...options, signal: stop.signal }), 'the watch'))
  }

  /** The next event; undefined when the watch has ended. */
  async next(): Promise<WatchEvent<Gauge> | undefined> {
    const { value, done } = await within(this.#events.next(), 'an event of the watch')
    return done === true ? undefined : value
  }

  /** The next events as `TYPE name`, bookmarks passed over. */
  async names(count: number): Promise<readonly string[]> {
    const names: string[] = []
    while (names.length < count) {
      const event = await this.next()
      if (event === undefined) break
      if (event.type !== 'BOOKMARK') names.push(`${event.type} ${event.object.metadata.name}`)
    }
    return names
  }

  async end(): Promise<void> {
    this.#stop.abort()
    if (this.#events.return !== undefined) await within(this.#events.return(), 'the end of the watch')
  }

  /** Ends the watch by the signal alone; the next read must tell. */
  abort(): void {
    this.#stop.abort()
  }
}

export const names = (list: { readonly items: readonly { readonly metadata: { readonly name: string } }[] }): readonly string[] =>
  list.items.map((item) => item.metadata.name)
