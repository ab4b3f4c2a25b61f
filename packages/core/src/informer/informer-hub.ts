import type { ObjectClient, ResourceClient } from '../client/object-client.ts'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import type { GroupVersionResource } from '../objects/names.ts'
import { type DeepReadonly, formatKey, type KubeObject, type UnstructuredObject } from '../objects/object.ts'
import type { Random } from '../random/random.ts'
import type { Registry } from '../resources/registry.ts'
import type { Kind } from '../resources/resource.ts'
import { IndexTable } from './index-table.ts'
import type { Informer, InformerHandlers, InformerOptions, Lister } from './informer.ts'
import type { Change } from './object-table.ts'
import { jitteredBackoff } from './reflector.ts'
import { SharedInformer } from './shared-informer.ts'

export interface InformerHubOptions {
  readonly client: ObjectClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Freezes every object, so that a plugin that changes one fails where it does. For development and tests. */
  readonly freeze: boolean
  readonly streamingList?: boolean
  /** When this process has it, dynamic informers follow it at once; otherwise they ask again from time to time. */
  readonly registry?: () => Registry | undefined
}

/** An informer for one consumer; releasing it takes its handlers away and ends the watch if it was the last one. */
export interface InformerLease<T extends KubeObject> extends Informer<T> {
  release(): Promise<void>
}

interface Shared {
  // biome-ignore lint/suspicious/noExplicitAny: informers of every kind meet in one map
  readonly informer: SharedInformer<any>
  users: number
}

/** The informers of one host. The same kind with the same options is one watch and one table, however many plugins ask. */
export class InformerHub {
  readonly #options: InformerHubOptions
  readonly #shared = new Map<string, Shared>()
  readonly #projections = new WeakMap<object, number>()
  #projectionCount = 0
  #started = false

  constructor(options: InformerHubOptions) {
    this.#options = options
  }

  /** Watches that run: what a test of leaks counts. */
  get size(): number {
    return this.#shared.size
  }

  /** Starts every informer, and from now on each new one at once. */
  start(): void {
    this.#started = true
    for (const { informer } of this.#shared.values()) informer.start()
  }

  informer<T extends KubeObject>(kind: Kind<T>, options: InformerOptions<T> = {}): InformerLease<T> {
    return this.#lease(kind, options, async () => this.#options.client.for(kind))
  }

  dynamic(resource: GroupVersionResource, options: InformerOptions<UnstructuredObject> = {}): InformerLease<UnstructuredObject> {
    const kind: {
      -readonly [K in keyof Kind<UnstructuredObject>]: Kind<UnstructuredObject>[K]
    } = { ...resource, kind: '', namespaced: true }
    const client = async () => {
      const found = await this.#options.client.resource(resource)
      Object.assign(kind, found.kind)
      return found
    }
    return this.#lease(kind, options, client, (signal) => this.#registryChange(resource, signal))
  }

  /** Waits until the registry serves the resource again, or for a while where there is no registry. */
  async #registryChange(resource: GroupVersionResource, signal: AbortSignal): Promise<void> {
    const { clock, random, registry } = this.#options
    const live = registry?.()
    if (live === undefined) return clock.sleep(jitteredBackoff(6, random), signal)
    if (live.resolve(resource) !== undefined) return clock.sleep(jitteredBackoff(0, random), signal)
    await new Promise<void>((resolve) => {
      const end = (): void => {
        stop()
        signal.removeEventListener('abort', end)
        resolve()
      }
      const stop = live.onChange(() => {
        if (live.resolve(resource) !== undefined) end()
      })
      signal.addEventListener('abort', end, { once: true })
    })
  }

  #lease<T extends KubeObject>(
    kind: Kind<T>,
    options: InformerOptions<T>,
    client: () => Promise<ResourceClient<T>>,
    retryAbsent?: (signal: AbortSignal) => Promise<void>,
  ): InformerLease<T> {
    const { indexes, project, ...select } = options
    const id = JSON.stringify([
      kind.group,
      kind.version,
      kind.resource,
      select.namespace,
      select.labelSelector,
      select.fieldSelector,
      this.#projection(project),
      retryAbsent !== undefined,
    ])
    const { clock, random, log, freeze, streamingList } = this.#options
    const shared: Shared = this.#shared.get(id) ?? {
      informer: new SharedInformer<T>({
        name: `${kind.resource}.${kind.version}${kind.group === '' ? '' : `.${kind.group}`}`,
        client,
        select,
        project,
        freeze,
        clock,
        random,
        log,
        streamingList,
        retryAbsent,
      }),
      users: 0,
    }
    shared.users += 1
    this.#shared.set(id, shared)
    if (this.#started) shared.informer.start()
    return leaseOf<T>(kind, shared.informer as SharedInformer<T>, indexes, log, async () => {
      shared.users -= 1
      if (shared.users > 0) return
      this.#shared.delete(id)
      await shared.informer.stop()
    })
  }

  /** Projections are told apart by identity. */
  #projection(project: object | undefined): number {
    if (project === undefined) return 0
    const known = this.#projections.get(project)
    if (known !== undefined) return known
    this.#projectionCount += 1
    this.#projections.set(project, this.#projectionCount)
    return this.#projectionCount
  }
}

function leaseOf<T extends KubeObject>(
  kind: Kind<T>,
  shared: SharedInformer<T>,
  indexFunctions: InformerOptions<T>['indexes'],
  log: Log,
  end: () => Promise<void>,
): InformerLease<T> {
  const indexes = new IndexTable<T>(indexFunctions)
  const handlers = new Set<InformerHandlers<T>>()
  let released = false

  const index = (change: Change<T>): void => {
    try {
      indexes.apply(change)
    } catch (error) {
      log.error({ err: error, informer: kind.resource }, 'informer index function failed')
    }
  }
  const call = (to: InformerHandlers<T>, change: Change<T>): void => {
    try {
      if (change.type === 'added') to.added?.(change.object)
      else if (change.type === 'updated') to.updated?.(change.object, change.old)
      else to.deleted?.(change.object)
    } catch (error) {
      log.error({ err: error, informer: kind.resource, event: change.type }, 'informer handler failed')
    }
  }
  for (const object of shared.table.list()) index({ type: 'added', object })
  const stop = shared.onChange((change) => {
    index(change)
    for (const to of handlers) call(to, change)
  })

  const lister: Lister<T> = {
    get: (key) => shared.table.get(typeof key === 'string' ? key : formatKey(key)),
    list: (namespace) => shared.table.list(namespace),
    byIndex: (index, value) => indexes.find(index, value),
    reached: (resourceVersion, signal) => shared.reached(resourceVersion, signal),
    get size() {
      return shared.table.size
    },
  }
  return {
    kind,
    lister,
    get synced() {
      return shared.synced
    },
    whenSynced: (signal) => shared.reached('-1', signal),
    on(to) {
      handlers.add(to)
      for (const object of shared.table.list()) call(to, { type: 'added', object: object as DeepReadonly<T> })
      return () => void handlers.delete(to)
    },
    async release() {
      if (released) return
      released = true
      stop()
      handlers.clear()
      await end()
    },
  }
}
