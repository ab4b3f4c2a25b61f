import {
  createEventRecorder,
  definePlugin,
  formatApiVersion,
  type Kind,
  type ObjectClient,
  type PluginContext,
  type UnstructuredObject,
  WorkQueue,
} from '@continuo/core'
import { z } from 'zod'
import { Collector, kindId } from './collector.ts'
import { OwnerGraph, type Work } from './owner-graph.ts'

const config = z
  .strictObject({
    workers: z.int().min(1).max(100).default(10).describe('Objects looked at at the same time.'),
    discoverySeconds: z.int().min(1).default(10).describe('Seconds between two looks for kinds that came or went.'),
  })
  .prefault({})

type Config = z.infer<typeof config>

/** Deletes objects whose owners are gone, and carries out foreground and orphan deletion, for every kind that is served. */
export const garbageCollector = definePlugin({
  name: 'garbage-collector',
  api: '^1',
  config,
  permissions: [
    { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch', 'patch', 'update', 'delete'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
  setup: (ctx) => new GarbageCollector(ctx).begin(),
})

/** Resources whose objects own nothing and that come and go by the thousand. */
const ignored = new Set(['events', 'events.events.k8s.io'])

const longestSyncMs = 10_000

class GarbageCollector {
  readonly #ctx: PluginContext<Config>
  readonly #graph = new OwnerGraph()
  readonly #collector: Collector
  readonly #followed = new Set<string>()
  readonly #synced: Promise<void>[] = []
  #kinds = new Map<string, Kind<UnstructuredObject>>()
  #queue: WorkQueue | undefined

  constructor(ctx: PluginContext<Config>) {
    this.#ctx = ctx
    const events = createEventRecorder({
      client: ctx.leaderClient,
      clock: ctx.clock,
      log: ctx.log,
      component: 'garbage-collector-controller',
      signal: ctx.signal,
    })
    ctx.onStop(() => events.close())
    this.#collector = new Collector({
      graph: this.#graph,
      events,
      log: ctx.log,
      kindOf: (apiVersion, kind) => this.#kinds.get(kindId(apiVersion, kind)),
      add: (work) => this.#add(work),
    })
  }

  begin(): void {
    const ctx = this.#ctx
    ctx.onStart('informers', () => this.#discover())
    ctx.every(ctx.config.discoverySeconds * 1000, () => this.#discover())
    ctx.whileLeading('garbage-collector', ({ client, signal }) => this.#run(client, signal))
  }

  /** Follows kinds that appeared. One that went keeps its place: its informer empties, and fills again should it come back. */
  async #discover(): Promise<void> {
    let served: readonly Kind<UnstructuredObject>[]
    try {
      served = await this.#ctx.client.resources()
    } catch (error) {
      this.#ctx.log.warn({ error }, 'the served resources could not be listed')
      return
    }
    const kinds = new Map<string, Kind<UnstructuredObject>>()
    for (const kind of served) {
      const id = kindId(formatApiVersion(kind), kind.kind)
      if (kinds.has(id) || ignored.has(kind.group === '' ? kind.resource : `${kind.resource}.${kind.group}`)) continue
      kinds.set(id, kind)
      if (!this.#followed.has(id)) this.#follow(id, kind)
    }
    this.#kinds = kinds
  }

  #follow(id: string, { group, version, resource }: Kind): void {
    this.#followed.add(id)
    const informer = this.#ctx.dynamic({ group, version, resource }, { project: ownershipOnly })
    // Owners of a kind that was not served could not be looked up until now.
    this.#synced.push(
      informer.whenSynced(this.#ctx.signal).then(
        () => this.#add(this.#graph.unsettled()),
        () => {},
      ),
    )
    informer.on({
      added: (object) => this.#add(this.#graph.observe(object)),
      updated: (object) => this.#add(this.#graph.observe(object)),
      deleted: ({ metadata: { uid = '' } }) => {
        this.#collector.gone(uid)
        this.#add(this.#graph.forget(uid))
      },
    })
  }

  #add(work: readonly Work[]): void {
    for (const { type, uid } of work) this.#queue?.add(`${type}/${uid}`)
  }

  /** Every term begins with all objects that name an owner: what happened before it was nobody's work. */
  async #run(client: ObjectClient, signal: AbortSignal): Promise<void> {
    const { clock, metrics, config: settings } = this.#ctx
    const queue = new WorkQueue({ name: 'garbage-collector', clock, metrics })
    const stop = (): void => queue.close()
    signal.addEventListener('abort', stop, { once: true })
    // A kind that cannot be listed must not hold up the others: what was not seen is looked up before anything is deleted.
    await Promise.race([Promise.all(this.#synced), clock.sleep(longestSyncMs, signal).catch(() => {})])
    this.#queue = queue
    if (signal.aborted) queue.close()
    this.#add(this.#graph.unsettled())
    await Promise.all(Array.from({ length: settings.workers }, () => this.#work(queue, client)))
  }

  async #work(queue: WorkQueue, client: ObjectClient): Promise<void> {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      const [type, uid] = key.split('/') as [Work['type'], string]
      try {
        await this.#collector.work({ type, uid }, client)
        queue.forget(key)
      } catch (error) {
        this.#ctx.log.debug({ error, key }, 'collection of an object failed and is tried again')
        queue.retry(key)
      }
      queue.done(key)
      if (queue.takeOverflow()) this.#add(this.#graph.unsettled())
    }
  }
}

/** All that ownership needs of an object. */
const ownershipOnly = ({ apiVersion, kind, metadata }: UnstructuredObject): UnstructuredObject => {
  const { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp } = metadata
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
      ...(ownerReferences && { ownerReferences }),
      ...(finalizers && { finalizers }),
      ...(deletionTimestamp && { deletionTimestamp }),
    },
  }
}
