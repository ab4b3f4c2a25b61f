import type { KubeObject, ObjectClient, ResourceClient } from '@continuo/core'

/** A client with one fault, and a check that must notice it. */
export interface BrokenClient {
  readonly fault: string
  readonly caughtBy: string
  breaks(sound: ObjectClient): ObjectClient
}

type Change = <T extends KubeObject>(sound: ResourceClient<T>) => Partial<ResourceClient<T>>

/** A client that changes some methods of every resource client that it makes. */
function faulty(change: Change): (sound: ObjectClient) => ObjectClient {
  const wrap = <T extends KubeObject>(sound: ResourceClient<T>): ResourceClient<T> => ({
    kind: sound.kind,
    get: (at, options) => sound.get(at, options),
    list: (options) => sound.list(options),
    watch: (options) => sound.watch(options),
    create: (object, options) => sound.create(object, options),
    update: (object, options) => sound.update(object, options),
    updateStatus: (object, options) => sound.updateStatus(object, options),
    patch: (at, patch, options) => sound.patch(at, patch, options),
    apply: (object, options) => sound.apply(object, options),
    delete: (at, options) => sound.delete(at, options),
    deleteCollection: (select, options) => sound.deleteCollection(select, options),
    subresource: (name) => sound.subresource(name),
    ...change(sound),
  })
  const client = (sound: ObjectClient): ObjectClient => ({
    for: (kind) => wrap(sound.for(kind)),
    resource: async (gvr) => wrap(await sound.resource(gvr)),
    as: (user) => client(sound.as(user)),
    with: (identity) => client(sound.with(identity)),
    resources: () => sound.resources(),
  })
  return client
}

/** Clients that the suite must not let pass. */
export const brokenClients: readonly BrokenClient[] = [
  {
    fault: 'throws errors of its own instead of ApiError',
    caughtBy: 'answers 404 NotFound for what does not exist',
    breaks: faulty((sound) => ({
      get: (at, options) =>
        sound.get(at, options).catch((error) => {
          throw { message: error.message, status: error.status }
        }),
    })),
  },
  {
    fault: 'drops the resource version of updates, so that stale ones win',
    caughtBy: 'a stale update is 409 Conflict, one without version wins',
    breaks: faulty((sound) => ({
      update: (object, options) => sound.update({ ...object, metadata: { ...object.metadata, resourceVersion: undefined } }, options),
    })),
  },
  {
    fault: 'forgets that a write is a dry run',
    caughtBy: 'a dry run answers as if, and stores nothing',
    breaks: faulty((sound) => ({ create: (object) => sound.create(object) })),
  },
  {
    fault: 'hands out one shared object to every reader',
    caughtBy: 'what is returned belongs to the caller',
    breaks: faulty((sound) => {
      const shared = new Map<string, ReturnType<typeof sound.get>>()
      return {
        get: (at, options) => {
          const key = JSON.stringify(at)
          const known = shared.get(key) ?? sound.get(at, options)
          shared.set(key, known)
          return known
        },
      }
    }),
  },
  {
    fault: 'loses the continue token of a list',
    caughtBy: 'pages are consistent under writes: all show the version of the first',
    breaks: faulty((sound) => ({
      list: async (options) => {
        const { metadata, ...list } = await sound.list(options)
        return { ...list, metadata: { ...metadata, continue: undefined } }
      },
    })),
  },
  {
    fault: 'ignores field selectors',
    caughtBy: 'selects by labels and fields',
    breaks: faulty((sound) => ({ list: ({ fieldSelector: _field, ...options } = {}) => sound.list(options) })),
  },
  {
    fault: 'begins every watch at the present',
    caughtBy: 'a watch from a version tells only what came later, as it came',
    breaks: faulty((sound) => ({
      watch: async ({ resourceVersion: _version, ...options }) => {
        const { metadata } = await sound.list({ namespace: options.namespace })
        return sound.watch({ ...options, resourceVersion: metadata.resourceVersion })
      },
    })),
  },
  {
    fault: 'tells nothing of what leaves a selection',
    caughtBy: 'an object that enters or leaves a selection is ADDED or DELETED',
    breaks: faulty((sound) => ({
      watch: async (options) => {
        const events = await sound.watch(options)
        return (async function* () {
          for await (const event of events) if (event.type !== 'DELETED') yield event
        })()
      },
    })),
  },
  {
    fault: 'deletes without looking at preconditions',
    caughtBy: 'preconditions on uid and version are kept',
    breaks: faulty((sound) => ({ delete: (at, { preconditions: _preconditions, ...options } = {}) => sound.delete(at, options) })),
  },
  {
    fault: 'applies with force always',
    caughtBy: "apply of another's field is 409 with its cause, and force takes it over",
    breaks: faulty((sound) => ({ apply: (object, options) => sound.apply(object, { ...options, force: true }) })),
  },
  {
    fault: 'does not pass the fence on',
    caughtBy: 'a fence that moved on stops every write with 409 Conflict',
    breaks: (sound) => {
      const unfenced: ObjectClient = { ...sound, with: ({ fence: _fence, ...identity }) => sound.with(identity) }
      return unfenced
    },
  },
]
