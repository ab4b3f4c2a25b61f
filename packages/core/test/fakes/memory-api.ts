import {
  ApiError,
  capability,
  definePlugin,
  type Fence,
  formatKey,
  type GroupVersionResource,
  type KubeObject,
  keyOf,
  kind,
  type Locator,
  type ObjectClient,
  ObjectClientCap,
  type ResourceClient,
  type UnstructuredObject,
  type WatchEvent,
} from '../../src/index.ts'

export interface Widget extends KubeObject {
  spec?: { size?: number; group?: string }
  status?: { size?: number }
}

export const Widget = kind<Widget>({ group: 'demo.io', version: 'v1', kind: 'Widget', resource: 'widgets', namespaced: true })
export const Part = kind<KubeObject>({ group: 'demo.io', version: 'v1', kind: 'Part', resource: 'parts', namespaced: true })

export const widget = (name: string, spec: Widget['spec'] = {}, namespace = 'default'): Widget => ({
  apiVersion: 'demo.io/v1',
  kind: 'Widget',
  metadata: { name, namespace },
  spec,
})

interface Stream {
  readonly resource: string
  readonly queue: WatchEvent[]
  wake: () => void
  error?: unknown
  ended: boolean
}

interface Identity {
  readonly fieldManager?: string
  readonly fence?: Fence
}

/**
 * An API in memory with switches for everything that can go wrong: what informers, controllers and elections are tested against.
 * Several clients of one API share its objects.
 */
export class MemoryApi {
  readonly objects = new Map<string, KubeObject>()
  readonly streams = new Set<Stream>()
  readonly calls: string[] = []
  readonly writes: { readonly fieldManager?: string; readonly key: string; readonly op: string }[] = []
  readonly #history: { readonly version: number; readonly resource: string; readonly event: WatchEvent }[] = []
  readonly unserved = new Set<string>()
  /** Called before each request; throwing fails the request, a promise delays it. */
  before: (op: string, resource: string, who: Identity) => void | Promise<void> = () => {}
  /** Called after a write was applied and before its answer arrives. */
  after: (op: string, resource: string, who: Identity) => void | Promise<void> = () => {}
  revision = 10
  #compacted = 0
  #uid = 0

  client(identity: Identity = {}): ObjectClient {
    return {
      for: (kind) => this.#resource(kind, identity),
      resource: async (gvr) => {
        await this.before('resource', gvr.resource, identity)
        if (this.unserved.has(gvr.resource)) throw new ApiError('NotFound', 'the server could not find the requested resource')
        return this.#resource<UnstructuredObject>(
          { ...gvr, kind: gvr.resource === 'widgets' ? 'Widget' : 'Thing', namespaced: true },
          identity,
        )
      },
      as: () => this.client(identity),
      with: (more) => this.client({ ...identity, ...more }),
      resources: async () => [],
    }
  }

  /** Writes from outside, as another process would. */
  put(resource: string, object: KubeObject): KubeObject {
    const key = `${resource}/${formatKey(keyOf(object))}`
    const old = this.objects.get(key)
    this.revision += 1
    this.#uid += old === undefined ? 1 : 0
    const stored = structuredClone(object)
    stored.metadata.uid = old?.metadata.uid ?? object.metadata.uid ?? `uid-${this.#uid}`
    stored.metadata.resourceVersion = String(this.revision)
    this.objects.set(key, stored)
    this.#publish(resource, { type: old === undefined ? 'ADDED' : 'MODIFIED', object: stored })
    return structuredClone(stored)
  }

  remove(resource: string, key: string): KubeObject {
    const old = this.objects.get(`${resource}/${key}`)
    if (old === undefined) throw new ApiError('NotFound', `${resource} "${key}" not found`)
    this.objects.delete(`${resource}/${key}`)
    this.revision += 1
    const last = structuredClone(old)
    last.metadata.resourceVersion = String(this.revision)
    this.#publish(resource, { type: 'DELETED', object: last })
    return last
  }

  bookmark(): void {
    for (const stream of this.streams) this.#push(stream, { type: 'BOOKMARK', resourceVersion: String(this.revision) })
  }

  endWatches(error?: unknown): void {
    for (const stream of this.streams) {
      stream.ended = true
      stream.error = error
      stream.wake()
    }
  }

  /** Watches from before now are refused. */
  compact(): void {
    this.#compacted = this.revision
  }

  count(op: string): number {
    return this.calls.filter((call) => call.startsWith(op)).length
  }

  #publish(resource: string, event: WatchEvent): void {
    this.#history.push({ version: this.revision, resource, event })
    for (const stream of this.streams) if (stream.resource === resource) this.#push(stream, event)
  }

  #push(stream: Stream, event: WatchEvent): void {
    stream.queue.push(structuredClone(event))
    stream.wake()
  }

  #list(resource: string): KubeObject[] {
    return [...this.objects].filter(([key]) => key.startsWith(`${resource}/`)).map(([, object]) => structuredClone(object))
  }

  #resource<T extends KubeObject>(of: GroupVersionResource & { kind: string; namespaced: boolean }, who: Identity): ResourceClient<T> {
    const { resource } = of
    const text = (at: Locator): string => (typeof at === 'string' ? at : formatKey(at))
    const call = async (op: string, key = ''): Promise<void> => {
      this.calls.push(`${op} ${resource}${key === '' ? '' : ` ${key}`}`)
      await this.before(op, resource, who)
      if (this.unserved.has(resource)) throw new ApiError('NotFound', 'the server could not find the requested resource')
    }
    const write = async (op: string, object: KubeObject, apply: () => KubeObject): Promise<T> => {
      const key = formatKey(keyOf(object))
      await call(op, key)
      const { fence } = who
      if (
        fence !== undefined &&
        this.objects.get(`${fence.resource}/${fence.namespace}/${fence.name}`)?.metadata.resourceVersion !== fence.resourceVersion
      ) {
        throw new ApiError('Conflict', 'the fence of this client no longer holds')
      }
      const result = apply()
      this.writes.push({ fieldManager: who.fieldManager, key, op })
      await this.after(op, resource, who)
      return result as T
    }
    const current = (object: KubeObject): KubeObject => {
      const old = this.objects.get(`${resource}/${formatKey(keyOf(object))}`)
      if (old === undefined) throw new ApiError('NotFound', `${resource} "${object.metadata.name}" not found`)
      if (object.metadata.resourceVersion !== undefined && object.metadata.resourceVersion !== old.metadata.resourceVersion) {
        throw new ApiError(
          'Conflict',
          `Operation cannot be fulfilled on ${resource} "${object.metadata.name}": the object has been modified`,
        )
      }
      return old
    }
    const update = (object: T): Promise<T> =>
      write('update', object, () => {
        current(object)
        return this.put(resource, object)
      })
    const unused = async (): Promise<never> => {
      throw new ApiError('MethodNotAllowed', 'not part of this fake')
    }
    return {
      kind: of as never,
      get: async (at) => {
        await call('get', text(at))
        const found = this.objects.get(`${resource}/${text(at)}`)
        if (found === undefined) throw new ApiError('NotFound', `${resource} "${text(at)}" not found`)
        return structuredClone(found) as T
      },
      list: async (options = {}) => {
        await call('list')
        const all = this.#list(resource)
        const from = Number(options.continue ?? 0)
        const end = from + (options.limit ?? all.length)
        return {
          apiVersion: 'v1',
          kind: 'List',
          metadata: { resourceVersion: String(this.revision), continue: end < all.length ? String(end) : '' },
          items: all.slice(from, end) as T[],
        }
      },
      watch: async (options) => {
        await call('watch')
        const version = Number(options.resourceVersion ?? 0)
        if (version > 0 && version < this.#compacted)
          throw new ApiError('Expired', `too old resource version: ${version} (${this.#compacted})`)
        const stream: Stream = { resource, queue: [], wake: () => {}, ended: false }
        if (options.sendInitialEvents === true) {
          stream.queue.push(...this.#list(resource).map((object) => ({ type: 'ADDED' as const, object })))
          stream.queue.push({ type: 'BOOKMARK', resourceVersion: String(this.revision), initialEventsEnd: true })
        } else {
          stream.queue.push(
            ...this.#history
              .filter((entry) => entry.resource === resource && entry.version > version)
              .map((entry) => structuredClone(entry.event)),
          )
        }
        this.streams.add(stream)
        stream.ended = options.signal.aborted
        options.signal.addEventListener('abort', () => {
          stream.ended = true
          stream.wake()
        })
        return this.#events(stream) as AsyncIterable<WatchEvent<T>>
      },
      create: (object) =>
        write('create', object, () => {
          if (this.objects.has(`${resource}/${formatKey(keyOf(object))}`))
            throw new ApiError('AlreadyExists', `${resource} "${object.metadata.name}" already exists`)
          return this.put(resource, object)
        }),
      update,
      updateStatus: update,
      delete: async (at) => write('delete', widget(text(at).split('/')[1] ?? ''), () => this.remove(resource, text(at))),
      patch: unused,
      apply: unused,
      deleteCollection: unused,
      subresource: () => ({ get: unused, update: unused, patch: unused, create: unused }),
    }
  }

  async *#events(stream: Stream): AsyncGenerator<WatchEvent> {
    try {
      for (;;) {
        const event = stream.queue.shift()
        if (event !== undefined) yield event
        else if (stream.ended) {
          if (stream.error !== undefined) throw stream.error
          return
        } else
          await new Promise<void>((resolve) => {
            stream.wake = resolve
          })
      }
    } finally {
      this.streams.delete(stream)
    }
  }
}

/** A plugin that brings the API's client into a host. */
export const apiPlugin = (api: MemoryApi) =>
  definePlugin({ name: 'memory-api', api: '^1', provides: [ObjectClientCap], setup: (ctx) => ctx.provide(ObjectClientCap, api.client()) })

/** A token for tests. */
export const Greeter = capability<{ hello(): Promise<string> }>('greeter/v1', { swappable: true, remotable: true })
