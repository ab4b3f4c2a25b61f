import type { ObjectClient } from '../client/object-client.ts'
import type { Clock } from '../clock/clock.ts'
import type { Decide } from '../decision/decision.ts'
import { hasReason, isApiError } from '../errors/api-error.ts'
import type { Informer } from '../informer/informer.ts'
import type { Log } from '../log/log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { parseApiVersion } from '../objects/names.ts'
import { controllerOf, type DeepReadonly, formatKey, type KubeObject, keyOf, type ObjectKey, parseKey } from '../objects/object.ts'
import { WorkQueue } from '../queue/work-queue.ts'
import type { Kind } from '../resources/resource.ts'
import type { ControllerSpec, ReconcileContext } from './controller.ts'
import { isTerminalError } from './terminal-error.ts'

export interface ControllerRunnerOptions<T extends KubeObject> {
  readonly spec: ControllerSpec<T>
  readonly informer: (kind: Kind) => Informer<KubeObject>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly decide: Decide
}

const turnsBetweenYields = 16

/** Key of the object of `kind` that controls another one, if one does. */
export function controllerKey(object: DeepReadonly<KubeObject>, kind: Kind): ObjectKey | undefined {
  const owner = controllerOf(object)
  if (owner === undefined || owner.kind !== kind.kind || parseApiVersion(owner.apiVersion).group !== kind.group) return undefined
  return {
    namespace: kind.namespaced ? (object.metadata.namespace ?? '') : '',
    name: owner.name,
  }
}

/** Runs one controller: feeds its queue from informers and its reconcile from the queue, for one term at a time. */
export class ControllerRunner<T extends KubeObject> {
  readonly #options: ControllerRunnerOptions<T>
  readonly #informers: ReadonlyMap<Kind, Informer<KubeObject>>
  readonly #results: { inc(result: string): void }

  constructor(options: ControllerRunnerOptions<T>) {
    this.#options = options
    const { spec } = options
    const kinds = new Set<Kind>([spec.for, ...(spec.owns ?? []), ...(spec.watches ?? []).map((watch) => watch.kind)])
    this.#informers = new Map([...kinds].map((kind) => [kind, options.informer(kind)]))
    const counter = options.metrics.counter('controller_reconcile_total', 'Reconciles by result.', ['controller', 'result'])
    this.#results = {
      inc: (result) => counter.inc({ controller: spec.name, result }),
    }
  }

  /** Works until the signal aborts; resolves when the last reconcile has returned. Every object is reconciled once at the beginning. */
  async run(client: ObjectClient, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { spec, clock, metrics } = this.#options
    const queue = new WorkQueue({ name: spec.name, clock, metrics })
    const handlers: (() => void)[] = []
    const stop = (): void => {
      for (const remove of handlers) remove()
      queue.close()
    }
    signal.addEventListener('abort', stop, { once: true })
    await Promise.all([...this.#informers.values()].map((informer) => informer.whenSynced(signal))).catch(() => {})
    if (signal.aborted) return
    handlers.push(...this.#feed(queue))
    await Promise.all(Array.from({ length: spec.concurrency ?? 5 }, () => this.#work(queue, client, signal)))
  }

  #feed(queue: WorkQueue): (() => void)[] {
    const { spec } = this.#options
    const on = (kind: Kind, keys: (object: DeepReadonly<KubeObject>) => readonly ObjectKey[]): (() => void) => {
      // Keys of one event are made one first: an idle worker takes the first at once, and the second would be a reconcile for nothing.
      const add = (...objects: readonly DeepReadonly<KubeObject>[]): void => {
        for (const key of new Set(objects.flatMap((object) => keys(object).map(formatKey)))) queue.add(key)
      }
      const informer = this.#informers.get(kind) as Informer<KubeObject>
      return informer.on({ added: (object) => add(object), updated: (object, old) => add(object, old), deleted: (object) => add(object) })
    }
    const owner = (object: DeepReadonly<KubeObject>): readonly ObjectKey[] => {
      const key = controllerKey(object, spec.for)
      return key === undefined ? [] : [key]
    }
    return [
      on(spec.for, (object) => [keyOf(object)]),
      ...(spec.owns ?? []).map((kind) => on(kind, owner)),
      ...(spec.watches ?? []).map((watch) => on(watch.kind, (object) => watch.map(object))),
    ]
  }

  async #work(queue: WorkQueue, client: ObjectClient, signal: AbortSignal): Promise<void> {
    let turns = 0
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      await this.#reconcile(key, queue, client, signal)
      queue.done(key)
      turns += 1
      // Reconciles that find all in memory never leave the microtask queue by themselves.
      if (turns % turnsBetweenYields === 0) await this.#options.clock.yield()
      if (queue.length === 0 && queue.takeOverflow()) this.#relist(queue)
    }
  }

  /** Keys were refused while the queue was full: the lister knows them all. */
  #relist(queue: WorkQueue): void {
    const { spec } = this.#options
    for (const object of this.#informers.get(spec.for)?.lister.list() ?? []) queue.add(formatKey(keyOf(object)))
  }

  async #reconcile(key: string, queue: WorkQueue, client: ObjectClient, signal: AbortSignal): Promise<void> {
    const { spec, decide } = this.#options
    const log = this.#options.log.child({ controller: spec.name, key })
    const ctx: ReconcileContext = {
      client,
      log,
      decide,
      signal,
      attempt: queue.failures(key),
    }
    try {
      const result = await spec.reconcile(parseKey(key), ctx)
      queue.forget(key)
      const after = result?.requeueAfterMs
      this.#results.inc(after === undefined ? 'success' : 'requeue_after')
      if (after !== undefined) queue.addAfter(key, after)
    } catch (error) {
      this.#failed(key, error, queue, log, signal)
    }
  }

  #failed(key: string, error: unknown, queue: WorkQueue, log: Log, signal: AbortSignal): void {
    if (signal.aborted) return
    if (isTerminalError(error)) {
      queue.forget(key)
      this.#results.inc('terminal_error')
      log.error({ err: error }, 'reconcile failed for good')
      return
    }
    this.#results.inc('error')
    const attempt = queue.failures(key) + 1
    log[failureLevel(error, attempt)]({ ...failureFields(error), attempt }, 'reconcile failed and will be retried')
    queue.retry(key)
  }
}

/** Somebody else wrote first: what the next look is for. Another refusal is told again only each time that the tries have doubled. */
function failureLevel(error: unknown, attempt: number): 'debug' | 'warn' {
  if (hasReason(error, 'Conflict')) return 'debug'
  return isApiError(error) && (attempt & (attempt - 1)) !== 0 ? 'debug' : 'warn'
}

/** A refusal says all in its words; a fault needs its stack. */
const failureFields = (error: unknown): Record<string, unknown> =>
  isApiError(error) ? { reason: error.reason, error: error.message } : { err: error }
