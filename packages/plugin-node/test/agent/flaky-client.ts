import { ApiError, type KubeObject, type ObjectClient, type ResourceClient } from '@continuo/core'

export interface Fault {
  /** Requests that fail while this says so. */
  fails(request: { readonly verb: string; readonly resource: string; readonly subresource?: string }): boolean
}

const verbs = new Set(['get', 'create', 'update', 'updateStatus', 'patch', 'apply', 'delete'])

/** A client whose requests fail on demand, as over a network; watches that are open go on. */
export function flakyClient(client: ObjectClient, fault: Fault): ObjectClient {
  const guard = <T extends object>(target: T, resource: string, subresource?: string): T =>
    new Proxy(target, {
      get(inner, key) {
        const value = Reflect.get(inner, key) as unknown
        if (typeof value !== 'function') return value
        const call = value as (...args: unknown[]) => unknown
        if (key === 'subresource') return (name: string) => guard(call.call(inner, name) as object, resource, name)
        if (!verbs.has(String(key))) return call.bind(inner)
        return async (...args: unknown[]) => {
          if (fault.fails({ verb: String(key), resource, subresource })) throw new ApiError('ServiceUnavailable', 'the API is down')
          return call.apply(inner, args)
        }
      },
    })
  return {
    for: <T extends KubeObject>(kind: Parameters<ObjectClient['for']>[0]) =>
      guard(client.for(kind as never) as object, kind.resource) as ResourceClient<T>,
    resource: (gvr) => client.resource(gvr),
    as: (user) => flakyClient(client.as(user), fault),
    with: (identity) => flakyClient(client.with(identity), fault),
    resources: () => client.resources(),
  } as ObjectClient
}
