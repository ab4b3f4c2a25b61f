import {
  type DeepReadonly,
  definePlugin,
  formatKey,
  hasReason,
  type Informer,
  jsonEqual,
  type Kind,
  keyOf,
  type ObjectClient,
  type PluginContext,
  parseKey,
  type UnstructuredObject,
  WorkQueue,
} from '@continuo/core'
import { ResourceQuota } from '@continuo/workload'
import { z } from 'zod'
import { addUp, type Counted, countedBy, sameResource } from './add-up.ts'
import { FollowedResources } from './followed-resources.ts'
import { measureUsage } from './measure.ts'

export const quotaStatusConfig = z
  .strictObject({
    resyncSeconds: z.int().min(1).default(300).describe('Seconds between two counts of a quota of which nothing was heard.'),
    workers: z.int().min(1).max(100).default(5).describe('Quotas counted at the same time.'),
  })
  .prefault({})

type Config = z.infer<typeof quotaStatusConfig>
type Quota = DeepReadonly<ResourceQuota>

/**
 * Keeps the status of ResourceQuotas: takes over what `spec` allows, and counts anew when objects have gone, when the quota changes, and from time to time.
 * Together with `resourceQuota` it is exact: a count over an older version of the quota is refused.
 */
export const quotaStatus = definePlugin({
  name: 'quota-status',
  api: '^1',
  config: quotaStatusConfig,
  permissions: [
    { apiGroups: [''], resources: ['resourcequotas'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['resourcequotas/status'], verbs: ['update'] },
    { apiGroups: ['*'], resources: ['*'], verbs: ['list', 'watch'] },
  ],
  setup: (ctx) => new QuotaStatus(ctx).begin(),
})

class QuotaStatus {
  readonly #ctx: PluginContext<Config>
  readonly #quotas: Informer<ResourceQuota>
  readonly #followed: FollowedResources
  #queue: WorkQueue | undefined

  constructor(ctx: PluginContext<Config>) {
    this.#ctx = ctx
    this.#quotas = ctx.informer(ResourceQuota)
    this.#followed = new FollowedResources(ctx, (namespace, resource) => this.#freed(namespace, resource))
  }

  begin(): void {
    const ctx = this.#ctx
    this.#quotas.on({
      added: (quota) => this.#queue?.add(formatKey(keyOf(quota))),
      updated: (quota, old) => {
        // A kind that came after the quota is followed from its first object on, which was charged.
        const isFollowed = countedBy(quota).every((counted) => this.#followed.has(counted))
        if (!isFollowed || !isCounted(quota) || !jsonEqual(quota.spec, old.spec)) this.#queue?.add(formatKey(keyOf(quota)))
      },
    })
    ctx.every(ctx.config.resyncSeconds * 1000, () => this.#addAll())
    ctx.whileLeading('resource-quota', async ({ client, signal }) => {
      const queue = new WorkQueue({ name: 'resource-quota', clock: ctx.clock, metrics: ctx.metrics })
      this.#queue = queue
      const close = (): void => queue.close()
      signal.addEventListener('abort', close, { once: true })
      try {
        await this.#quotas.whenSynced(signal)
        this.#addAll()
        await Promise.all(Array.from({ length: ctx.config.workers }, () => this.#work(queue, client)))
      } finally {
        signal.removeEventListener('abort', close)
        this.#queue = undefined
      }
    })
  }

  #addAll(): void {
    for (const quota of this.#quotas.lister.list()) this.#queue?.add(formatKey(keyOf(quota)))
  }

  #freed(namespace: string, resource: Counted): void {
    for (const quota of this.#quotas.lister.list(namespace))
      if (countedBy(quota).some((each) => sameResource(each, resource))) this.#queue?.add(formatKey(keyOf(quota)))
  }

  async #work(queue: WorkQueue, client: ObjectClient): Promise<void> {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      try {
        await this.#count(client, key)
        queue.forget(key)
      } catch (error) {
        if (!hasReason(error, 'Conflict'))
          this.#ctx.log.warn({ err: error, quota: key }, 'cannot count what a quota has used, trying again')
        queue.retry(key)
      }
      queue.done(key)
    }
  }

  async #count(client: ObjectClient, key: string): Promise<void> {
    const target = client.for(ResourceQuota)
    const quota = await target.get(parseKey(key)).catch((error: unknown) => {
      if (hasReason(error, 'NotFound')) return undefined
      throw error
    })
    if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return
    const counted = await this.#kindsOf(client, quota)
    // Followed before they are counted: whatever goes from now on is heard of.
    for (const kind of counted) this.#followed.follow(kind)
    const now = this.#ctx.clock.now()
    const usages = await Promise.all(counted.map((kind) => measureUsage(client, quota, kind, now)))
    const status = addUp(quota, usages)
    if (!jsonEqual(status, quota.status)) await target.updateStatus({ ...quota, status })
  }

  /** The served kinds that a quota counts. What is not served yet is counted once it is: with the next change, or the next round. */
  async #kindsOf(client: ObjectClient, quota: Quota): Promise<readonly Kind<UnstructuredObject>[]> {
    const served = await client.resources()
    return countedBy(quota).flatMap((counted) => served.find((kind) => kind.namespaced && sameResource(kind, counted)) ?? [])
  }
}

/** True when the status says everything that the spec asks for. */
const isCounted = ({ spec, status }: Quota): boolean =>
  jsonEqual(spec?.hard ?? {}, status?.hard ?? {}) && Object.keys(spec?.hard ?? {}).every((name) => status?.used?.[name] !== undefined)
