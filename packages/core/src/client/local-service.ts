import type { WatchCache } from '../cache/watch-cache.ts'
import type { Providers } from '../capability/capability.ts'
import type { Clock } from '../clock/clock.ts'
import type { Hooks } from '../hooks/hook.ts'
import type { Log } from '../log/log.ts'
import type { Random } from '../random/random.ts'
import type { Registry } from '../resources/registry.ts'
import type { ValueTransform } from '../resources/value-transform.ts'
import type { Store } from '../store/store.ts'
import { connectObject } from './connect-object.ts'
import { createObject } from './create-object.ts'
import { deleteCollection, deleteObject } from './delete-object.ts'
import { indexResources } from './dispatch-keys.ts'
import { HotSet } from './hot-set.ts'
import { listObjects } from './list-objects.ts'
import type { ObjectService, SubresourceAction, VirtualObjects } from './object-service.ts'
import { patchObject } from './patch-object.ts'
import { getObject } from './read-objects.ts'
import { type VersionScale, versionScale } from './resource-version.ts'
import { defaultServiceLimits, type ServiceLimits, type ServiceParts } from './service-parts.ts'
import { guarded } from './store-faults.ts'
import { TurnTaking } from './turn-taking.ts'
import { updateObject } from './update-object.ts'
import { ViewForms } from './view-form.ts'
import { watchObjects } from './watch-objects.ts'

export interface LocalServiceOptions {
  readonly registry: Registry
  readonly store: Store
  /** Over the same store; the caller starts it. */
  readonly cache: WatchCache
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly hooks: Pick<Hooks, 'call' | 'isIdle'>
  /** Between revisions and resource versions. Default: no base. */
  readonly scale?: VersionScale
  readonly transform?: ValueTransform
  readonly actions?: Pick<Providers<SubresourceAction>, 'get'>
  readonly virtual?: Pick<Providers<VirtualObjects>, 'get'>
  readonly limits?: Partial<ServiceLimits>
  /** Budget for decoded objects and encodings beside the stored bytes. Default 16 MB. */
  readonly derivedBytes?: number
}

const defaultDerivedBytes = 16 * 1024 * 1024

/** The {@link ObjectService} over a store and its watch cache. Dispose it to end its watches and to let go of registry and cache. */
export function createObjectService(options: LocalServiceOptions): ObjectService & Disposable {
  const { registry, store, cache, clock, random, log, hooks } = options
  const parts: ServiceParts = {
    registry,
    store,
    cache,
    clock,
    random,
    log,
    hooks,
    actions: options.actions ?? new Map(),
    virtual: options.virtual ?? new Map(),
    views: {
      scale: options.scale ?? versionScale(0),
      transform: options.transform,
      hot: new HotSet(options.derivedBytes ?? defaultDerivedBytes),
    },
    forms: new ViewForms(registry),
    turns: new TurnTaking(),
    watches: new Set(),
    limits: { ...defaultServiceLimits, ...options.limits },
  }
  const index = indexResources(parts)
  return {
    registry,
    get: (ref, read, caller) => guarded(() => getObject(parts, ref, read, caller)),
    list: (collection, list, caller) => guarded(() => listObjects(parts, collection, list, caller)),
    watch: (collection, watch, caller) => guarded(() => watchObjects(parts, collection, watch, caller)),
    create: (ref, body, write, caller) => guarded(() => createObject(parts, ref, body, write, caller)),
    update: (ref, body, write, caller) => guarded(() => updateObject(parts, ref, body, write, caller)),
    patch: (ref, patch, write, caller) => guarded(() => patchObject(parts, ref, patch, write, caller)),
    delete: (ref, deletion, caller) => guarded(() => deleteObject(parts, ref, deletion, caller)),
    deleteCollection: (collection, list, deletion, caller) => guarded(() => deleteCollection(parts, collection, list, deletion, caller)),
    connect: (ref, connectOptions, caller) => guarded(() => connectObject(parts, ref, connectOptions, caller)),
    caughtUp: (signal) => guarded(async () => cache.caughtUp(signal)),
    [Symbol.dispose]() {
      for (const end of parts.watches) end()
      index[Symbol.dispose]()
    },
  }
}
