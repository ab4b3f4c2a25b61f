import { createWatchCache } from '../cache/create-watch-cache.ts'
import { optional } from '../capability/capability.ts'
import { customResourceDefinitionResource, definitionResource } from '../kinds/custom/custom-resource-definition.ts'
import { CustomConversionCap, SchemaRulesCap } from '../kinds/custom/custom-resource-extensions.ts'
import { DefinitionServer } from '../kinds/custom/definition-server.ts'
import { systemResources } from '../kinds/system-resources.ts'
import { definePlugin } from '../plugin/plugin.ts'
import { createRegistry } from '../resources/live-registry.ts'
import { RegistryCap } from '../resources/registry.ts'
import { ValueTransformCap } from '../resources/value-transform.ts'
import { StorageRewriter } from '../rewriting/storage-rewriter.ts'
import { StoreCap } from '../store/store.ts'
import { runCompaction } from './compaction.ts'
import { createLocalClient } from './local-client.ts'
import { createObjectService } from './local-service.ts'
import { ObjectClientCap } from './object-client.ts'
import { ObjectServiceCap, SubresourceActionCap, VirtualObjectsCap } from './object-service.ts'
import { objectsConfig } from './objects-config.ts'
import { readVersionBase, type VersionScale, versionScale } from './resource-version.ts'
import { refuseUnfinishedRestore } from './restore-snapshot.ts'
import { ensureSystemNamespaces } from './system-namespaces.ts'

/** Who writes what the object machine writes by itself. */
const systemUser = { username: 'system:apiserver', groups: ['system:masters'] } as const

/**
 * The object machine as a plugin of the control plane: over a store it provides the registry, the object service and the local client.
 * It adds the system kinds, makes the system's namespaces, compacts the store, and rewrites what lies in it in an older form.
 */
export const objectsPlugin = definePlugin({
  name: 'objects',
  api: '^1',
  roles: ['control-plane'],
  config: objectsConfig,
  requires: {
    store: StoreCap,
    transform: optional(ValueTransformCap),
    actions: SubresourceActionCap,
    virtual: VirtualObjectsCap,
    rules: optional(SchemaRulesCap),
    conversions: CustomConversionCap,
  },
  provides: [RegistryCap, ObjectServiceCap, ObjectClientCap],
  // Definitions depend on what plugins know of rules and conversion: their resource is added below.
  kinds: systemResources.filter((resource) => resource !== customResourceDefinitionResource),
  async setup(ctx) {
    const { store, transform, actions, virtual, rules, conversions } = ctx.use
    const { config } = ctx
    await refuseUnfinishedRestore(store)
    const registry = createRegistry()
    const extensions = { rules, conversions }
    registry.add(definitionResource(extensions), 'objects')
    const cache = createWatchCache({ store, clock: ctx.clock, log: ctx.log })
    const scale: VersionScale = versionScale(await readVersionBase(store))
    const service = createObjectService({
      registry,
      store,
      cache,
      clock: ctx.clock,
      random: ctx.random,
      log: ctx.log,
      hooks: { call: (hook, argument) => ctx.call(hook, argument), isIdle: (hook) => ctx.isIdle(hook) },
      scale,
      actions,
      virtual,
      ...(transform === undefined ? {} : { transform }),
      limits: { maxObjectBytes: config.maxObjectBytes },
      derivedBytes: config.derivedBytes,
    })
    const client = createLocalClient(service, { user: systemUser, trusted: true })
    ctx.provide(RegistryCap, registry)
    ctx.provide(ObjectServiceCap, service)
    ctx.provide(ObjectClientCap, client)
    ctx.onStop(() => service[Symbol.dispose]())
    ctx.onStart('stores', async (signal) => {
      await cache.start(signal)
      await ensureSystemNamespaces(client)
      await new DefinitionServer({ client, registry, clock: ctx.clock, log: ctx.log, extensions }).start(signal)
      void runCompaction({ store, clock: ctx.clock, log: ctx.log, retentionMs: config.compactionRetentionSeconds * 1000 }, signal)
    })
    const rewriter = new StorageRewriter({
      registry,
      store,
      cache,
      scale,
      clock: ctx.clock,
      log: ctx.log,
      metrics: ctx.metrics,
      transform,
      perSecond: config.rewritesPerSecond,
      everyMs: config.compactionRetentionSeconds * 1000,
    })
    ctx.whileLeading('rewriting of storage', (lead) => rewriter.run(lead))
    ctx.health({ name: 'watch-cache', readinessOnly: true, check: () => service.caughtUp() })
  },
})
