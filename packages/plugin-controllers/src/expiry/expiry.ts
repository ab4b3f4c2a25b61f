import {
  definePlugin,
  formatKey,
  hasReason,
  type Informer,
  keyOf,
  type ObjectClient,
  type PluginContext,
  parseKey,
  type Registry,
  RegistryCap,
  type ResourceDefinition,
  type UnstructuredObject,
} from '@continuo/core'
import { z } from 'zod'
import { DueTimes } from './due-times.ts'

const parallelDeletions = 16
const retryMs = 30_000

/** Deletes objects whose resource says when they expire, such as events after an hour. */
export const expiry = definePlugin({
  name: 'expiry',
  api: '^1',
  config: z
    .strictObject({ intervalSeconds: z.int().min(1).default(30).describe('Seconds between two looks for what has expired.') })
    .prefault({}),
  requires: { registry: RegistryCap },
  permissions: [{ apiGroups: ['*'], resources: ['*'], verbs: ['list', 'watch', 'delete'] }],
  setup(ctx) {
    const following = new Set<string>()
    const due = new Map<string, { readonly times: DueTimes; readonly informer: Informer<UnstructuredObject> }>()
    const follow = (registry: Registry): void => {
      for (const definition of registry.all()) {
        const id = `${definition.plural}.${definition.group}`
        if (definition.strategy?.expiresAt === undefined || following.has(id)) continue
        following.add(id)
        due.set(id, followResource(ctx, definition))
      }
    }
    const { registry } = ctx.use
    ctx.onStart('informers', () => {
      follow(registry)
      const stop = registry.onChange(() => follow(registry))
      ctx.onStop(stop)
    })
    ctx.whileLeading('expiry', async ({ client, signal }) => {
      while (!signal.aborted) {
        for (const { times, informer } of due.values()) await deleteExpired(client, informer, times, ctx.clock.now(), signal)
        await ctx.clock.sleep(ctx.config.intervalSeconds * 1000, signal)
      }
    })
  },
})

/** Only keys and moments are kept of what is watched. */
function followResource(ctx: Pick<PluginContext, 'dynamic'>, { group, plural, storageVersion, strategy }: ResourceDefinition) {
  const times = new DueTimes()
  const project = (object: UnstructuredObject): UnstructuredObject => {
    const { apiVersion, kind, metadata } = object
    const { name, namespace, uid, resourceVersion } = metadata
    return {
      apiVersion,
      kind,
      metadata: { name, ...(namespace && { namespace }), ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
      expiresAt: strategy?.expiresAt?.(object),
    }
  }
  const informer = ctx.dynamic({ group, version: storageVersion, resource: plural }, { project })
  const see = (object: { readonly metadata: UnstructuredObject['metadata']; readonly [field: string]: unknown }): void =>
    times.set(formatKey(keyOf(object as UnstructuredObject)), object.expiresAt as number | undefined)
  informer.on({
    added: (object) => see(object as never),
    updated: (object) => see(object as never),
    deleted: (object) => times.delete(formatKey({ namespace: object.metadata.namespace ?? '', name: object.metadata.name })),
  })
  return { times, informer }
}

async function deleteExpired(
  client: ObjectClient,
  informer: Informer<UnstructuredObject>,
  times: DueTimes,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  for (let batch = times.take(now, parallelDeletions); batch.length > 0 && !signal.aborted; batch = times.take(now, parallelDeletions)) {
    await Promise.all(
      batch.map(async (key) => {
        const { uid, resourceVersion } = informer.lister.get(key)?.metadata ?? {}
        try {
          await client
            .for(informer.kind)
            .delete(parseKey(key), { preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) } })
        } catch (error) {
          // One that changed meanwhile says anew when it expires; any other failure passes or is tried again.
          if (!hasReason(error, 'NotFound', 'Conflict')) times.set(key, now + retryMs)
        }
      }),
    )
  }
}
