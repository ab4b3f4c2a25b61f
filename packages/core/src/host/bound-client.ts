import type { Fence, UserInfo } from '../client/caller.ts'
import type { ObjectClient, ResourceClient, SubresourceClient } from '../client/object-client.ts'
import type { KubeObject } from '../objects/object.ts'
import type { Kind } from '../resources/resource.ts'

/** Derives once for each source: a client is asked for its parts on every call. */
function memo<S extends object, V>(source: () => S, derive: (source: S) => V): () => V {
  let last: { readonly source: S; readonly value: V } | undefined
  return () => {
    const now = source()
    if (last?.source !== now) last = { source: now, value: derive(now) }
    return last.value
  }
}

function boundSubresource<B extends KubeObject>(current: () => SubresourceClient<B>): SubresourceClient<B> {
  return {
    get: async (at, options) => current().get(at, options),
    update: async (at, body, options) => current().update(at, body, options),
    patch: async (at, patch, options) => current().patch(at, patch, options),
    create: async (at, body, options) => current().create(at, body, options),
  }
}

function boundResource<T extends KubeObject>(kind: Kind<T>, current: () => ResourceClient<T>): ResourceClient<T> {
  return {
    kind,
    get: async (at, options) => current().get(at, options),
    list: async (options) => current().list(options),
    watch: async (options) => current().watch(options),
    create: async (object, options) => current().create(object, options),
    update: async (object, options) => current().update(object, options),
    updateStatus: async (object, options) => current().updateStatus(object, options),
    patch: async (at, patch, options) => current().patch(at, patch, options),
    apply: async (object, options) => current().apply(object, options),
    delete: async (at, options) => current().delete(at, options),
    deleteCollection: async (select, options) => current().deleteCollection(select, options),
    subresource: <B extends KubeObject>(name: string) => boundSubresource<B>(() => current().subresource<B>(name)),
  }
}

/**
 * A client that looks up its implementation on each call, so that what a plugin made of it — `const widgets = ctx.client.for(Widget)` —
 * stays valid when the implementation is replaced. `current` throws while there is none.
 */
export function boundClient(current: () => ObjectClient): ObjectClient {
  return {
    for: <T extends KubeObject>(kind: Kind<T>) =>
      boundResource(
        kind,
        memo(current, (client) => client.for(kind)),
      ),
    resource: async (gvr) => current().resource(gvr),
    as: (user: UserInfo) => boundClient(memo(current, (client) => client.as(user))),
    with: (identity: { readonly fieldManager?: string; readonly fence?: Fence; readonly cause?: string }) =>
      boundClient(memo(current, (client) => client.with(identity))),
    resources: async () => current().resources(),
  }
}
