import { ApiError } from '../errors/api-error.ts'
import type { GroupVersionResource } from '../objects/names.ts'
import { type KubeList, type KubeObject, type ObjectKey, parseKey, type UnstructuredObject } from '../objects/object.ts'
import { type Kind, kind as kindOf } from '../resources/resource.ts'
import { notServed } from './api-errors.ts'
import type { Caller } from './caller.ts'
import { localWatch } from './local-watch.ts'
import type { Locator, ObjectClient, ResourceClient, SubresourceClient } from './object-client.ts'
import type { ObjectRef, ObjectService, ObjectView } from './object-service.ts'
import type { WriteOptions } from './options.ts'
import { copyOfView } from './plain-view.ts'

/** The {@link ObjectClient} inside the process of the service. Copies on the way out; what goes in is copied by the service. */
export function createLocalClient(service: ObjectService, caller: Caller): ObjectClient {
  return {
    for: (kind) => new LocalResourceClient(service, caller, kind),
    async resource(gvr) {
      const kind = servedKind(service, gvr)
      if (kind === undefined) throw notServed()
      return new LocalResourceClient(service, caller, kind)
    },
    as: (user) => createLocalClient(service, { ...caller, user, trusted: false, authorized: false }),
    with: ({ fieldManager, fence, cause }) =>
      createLocalClient(service, {
        ...caller,
        ...(fieldManager === undefined ? {} : { fieldManager }),
        ...(fence === undefined ? {} : { fence }),
        ...(cause === undefined ? {} : { cause }),
      }),
    async resources() {
      return service.registry
        .served()
        .filter(({ definition }) => definition.virtual !== true)
        .map(({ gvr, gvk, definition }) => ({
          ...kindOf<UnstructuredObject>({ ...gvr, kind: gvk.kind, namespaced: definition.namespaced }),
          shortNames: definition.shortNames ?? [],
        }))
    },
  }
}

function servedKind(service: ObjectService, gvr: GroupVersionResource): Kind<UnstructuredObject> | undefined {
  const served = service.registry.resolve(gvr)
  return served === undefined ? undefined : kindOf({ ...served.gvr, kind: served.gvk.kind, namespaced: served.definition.namespaced })
}

/** Where a locator points: text is `namespace/name`; an object that bears the key will do. */
function keyAt(kind: Kind, at: Locator | KubeObject): ObjectKey {
  const key =
    typeof at === 'string' ? parseKey(at) : 'metadata' in at ? { namespace: at.metadata.namespace ?? '', name: at.metadata.name } : at
  if (!key.name) throw new ApiError('BadRequest', `the ${kind.kind} to work on has no name`)
  return { namespace: kind.namespaced ? (key.namespace ?? '') : '', name: key.name }
}

const strict = (options: WriteOptions): WriteOptions =>
  options.fieldValidation === undefined ? { ...options, fieldValidation: 'Strict' } : options

class LocalResourceClient<T extends KubeObject> implements ResourceClient<T> {
  readonly kind: Kind<T>
  readonly #service: ObjectService
  readonly #caller: Caller

  constructor(service: ObjectService, caller: Caller, kind: Kind<T>) {
    this.#service = service
    this.#caller = caller
    this.kind = kind
  }

  async get(at: Locator, options: Parameters<ResourceClient<T>['get']>[1] = {}): Promise<T> {
    return owned(await this.#service.get(this.#ref(at), options, this.#caller))
  }

  async list(options: Parameters<ResourceClient<T>['list']>[0] = {}): Promise<KubeList<T>> {
    const list = await this.#service.list(this.#collection(options.namespace), options, this.#caller)
    const definition = this.#service.registry.get(this.kind)
    return {
      apiVersion: this.kind.group === '' ? this.kind.version : `${this.kind.group}/${this.kind.version}`,
      kind: definition?.listKind ?? `${this.kind.kind}List`,
      metadata: {
        resourceVersion: list.resourceVersion,
        ...(list.continue === undefined ? {} : { continue: list.continue }),
        ...(list.remainingItemCount === undefined ? {} : { remainingItemCount: list.remainingItemCount }),
      },
      items: list.items.map((view) => owned<T>(view)),
    }
  }

  async watch({ signal, ...options }: Parameters<ResourceClient<T>['watch']>[0]) {
    const cursor = await this.#service.watch(this.#collection(options.namespace), options, this.#caller)
    return localWatch<T>(cursor, signal)
  }

  async create(object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace = '', name = '' } = object.metadata ?? {}
    const ref: ObjectRef = { ...this.#collection(namespace), name }
    return owned((await this.#service.create(ref, unstructured(object), strict(options), this.#caller)).view)
  }

  async update(object: T, options: WriteOptions = {}): Promise<T> {
    return owned((await this.#service.update(this.#ref(object), unstructured(object), strict(options), this.#caller)).view)
  }

  async updateStatus(object: T, options: WriteOptions = {}): Promise<T> {
    const ref: ObjectRef = { ...this.#ref(object), subresource: 'status' }
    return owned((await this.#service.update(ref, unstructured(object), strict(options), this.#caller)).view)
  }

  async patch(at: Locator, patch: Parameters<ResourceClient<T>['patch']>[1], options: WriteOptions = {}): Promise<T> {
    return owned((await this.#service.patch(this.#ref(at), patch, strict(options), this.#caller)).view)
  }

  async apply(object: T, { force, ...options }: Parameters<ResourceClient<T>['apply']>[1]): Promise<T> {
    const patch = { type: 'apply', body: unstructured(object), ...(force === undefined ? {} : { force }) } as const
    return owned((await this.#service.patch(this.#ref(object), patch, strict(options), this.#caller)).view)
  }

  async delete(at: Locator, options: Parameters<ResourceClient<T>['delete']>[1] = {}): Promise<T> {
    return owned((await this.#service.delete(this.#ref(at), options, this.#caller)).view)
  }

  async deleteCollection(
    select: Parameters<ResourceClient<T>['deleteCollection']>[0],
    options: Parameters<ResourceClient<T>['deleteCollection']>[1] = {},
  ): Promise<number> {
    const chosen = await this.#service.deleteCollection(this.#collection(select.namespace), select, options, this.#caller)
    return chosen.items.length
  }

  subresource<B extends KubeObject = UnstructuredObject>(subresource: string): SubresourceClient<B> {
    const at = (locator: Locator): ObjectRef => ({ ...this.#ref(locator), subresource })
    const service = this.#service
    const caller = this.#caller
    return {
      get: async (locator, options = {}) => owned<B>(await service.get(at(locator), options, caller)),
      update: async (locator, body, options = {}) =>
        owned<B>((await service.update(at(locator), unstructured(body), strict(options), caller)).view),
      patch: async (locator, patch, options = {}) => owned<B>((await service.patch(at(locator), patch, strict(options), caller)).view),
      create: async (locator, body, options = {}) =>
        owned<B>((await service.create(at(locator), unstructured(body), strict(options), caller)).view),
    }
  }

  #collection(namespace: string | undefined): Omit<ObjectRef, 'name'> {
    const { group, version, resource, namespaced } = this.kind
    return { group, version, resource, namespace: namespaced ? (namespace ?? '') : '' }
  }

  #ref(at: Locator | KubeObject): ObjectRef {
    const { namespace, name } = keyAt(this.kind, at)
    return { ...this.#collection(namespace), name }
  }
}

const owned = <T extends KubeObject>(view: ObjectView): T => copyOfView(view) as unknown as T
const unstructured = (object: KubeObject): UnstructuredObject => object as UnstructuredObject
