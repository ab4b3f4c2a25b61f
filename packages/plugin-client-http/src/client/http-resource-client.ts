import {
  ApiError,
  type ApplyOptions,
  type DeleteOptions,
  formatApiVersion,
  type GetOptions,
  hasReason,
  type Kind,
  type KubeList,
  type KubeObject,
  type ListOptions,
  type Locator,
  type ObjectKey,
  type Patch,
  type ResourceClient,
  type SelectOptions,
  type SubresourceClient,
  type UnstructuredObject,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from '@continuo/core'
import { continuoHeaders } from '@continuo/workload'
import type { ApiRequest } from '../request/api-request.ts'
import type { Requester } from '../request/requester.ts'
import { deleteEverywhere } from './delete-collection.ts'
import type { Discovery } from './discovery.ts'
import type { Headers } from './identity.ts'
import { collectionPath, keyAt, objectPath } from './paths.ts'
import { deleteBody, getQuery, listQuery, selectQuery, watchQuery, writeQuery } from './query.ts'
import { noEvents, typed, watchEvents } from './watch-events.ts'

/** What every client of one connection, for one identity, works with. */
export interface ClientParts {
  readonly requester: Requester
  readonly discovery: Discovery
  /** Of the identity, on every request. */
  readonly headers: () => Headers
  readonly fieldManager: string | undefined
  readonly maxEventBytes: number
}

const patchTypes: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

/** Items of a deleted collection are only counted: their metadata is asked for. */
const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'

/** One kind over HTTP. Namespaces, names and defaults are treated as the local client does. */
export class HttpResourceClient<T extends KubeObject> implements ResourceClient<T> {
  readonly kind: Kind<T>
  readonly #parts: ClientParts

  constructor(parts: ClientParts, kind: Kind<T>) {
    this.#parts = parts
    this.kind = kind
  }

  async get(at: Locator, options: GetOptions = {}): Promise<T> {
    return this.#object({ method: 'GET', path: this.#path(at), query: getQuery(options) })
  }

  async list(options: ListOptions = {}): Promise<KubeList<T>> {
    const list = (await this.#send({
      method: 'GET',
      path: this.#collection(options.namespace),
      query: listQuery(options),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })) as Partial<KubeList<T>> | null
    if (typeof list !== 'object' || list === null || typeof list.metadata !== 'object' || !Array.isArray(list.items ?? [])) {
      throw new ApiError('InternalError', `the list of ${this.kind.resource} that the server answered is no list`)
    }
    const { resourceVersion, continue: next, remainingItemCount } = list.metadata ?? {}
    return {
      apiVersion: list.apiVersion ?? formatApiVersion(this.kind),
      kind: list.kind ?? `${this.kind.kind}List`,
      metadata: {
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(next === undefined || next === '' ? {} : { continue: next }),
        ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
      },
      items: (list.items ?? []).map((item) => typed(this.kind, item)),
    }
  }

  async watch({ signal, ...options }: WatchOptions & { readonly signal: AbortSignal }): Promise<AsyncIterable<WatchEvent<T>>> {
    if (signal.aborted) return noEvents()
    const request: ApiRequest = { method: 'GET', path: this.#collection(options.namespace), query: watchQuery(options) }
    try {
      const response = await this.#guarded(this.#parts.requester.stream({ ...request, headers: this.#parts.headers(), signal }))
      return watchEvents(this.kind, response, signal, this.#parts.maxEventBytes)
    } catch (error) {
      if (signal.aborted) return noEvents()
      throw error
    }
  }

  async create(object: T, options: WriteOptions = {}): Promise<T> {
    const namespace = this.kind.namespaced ? (object.metadata?.namespace ?? '') : ''
    if (this.kind.namespaced && namespace === '')
      throw new ApiError('BadRequest', 'an empty namespace may not be set when a resource name is provided')
    return this.#object({ method: 'POST', path: collectionPath(this.kind, namespace), query: this.#writeQuery(options), body: object })
  }

  async update(object: T, options: WriteOptions = {}): Promise<T> {
    return this.#object({ method: 'PUT', path: this.#path(object), query: this.#writeQuery(options), body: object })
  }

  async updateStatus(object: T, options: WriteOptions = {}): Promise<T> {
    return this.#object({ method: 'PUT', path: this.#path(object, 'status'), query: this.#writeQuery(options), body: object })
  }

  async patch(at: Locator, patch: Patch, options: WriteOptions = {}): Promise<T> {
    return this.#object(this.#patchRequest(this.#path(at), patch, options))
  }

  async apply(object: T, { force, ...options }: ApplyOptions): Promise<T> {
    const patch = { type: 'apply', body: object as unknown as UnstructuredObject, force } as const
    return this.#object(this.#patchRequest(this.#path(object), patch, options))
  }

  async delete(at: Locator, options: DeleteOptions = {}): Promise<T> {
    const key = keyAt(this.kind, at)
    const answer = await this.#send({
      method: 'DELETE',
      path: objectPath(this.kind, key),
      headers: { [continuoHeaders.returnDeleted]: 'true' },
      body: deleteBody(options),
    })
    return isSuccess(answer) ? this.#remains(key, answer) : this.#checked(answer)
  }

  async deleteCollection(select: SelectOptions, options: DeleteOptions = {}): Promise<number> {
    if (this.kind.namespaced && !select.namespace) return deleteEverywhere(this, select, options)
    const answer = await this.#send({
      method: 'DELETE',
      path: this.#collection(select.namespace),
      query: selectQuery(select),
      accept: metadataList,
      body: deleteBody(options),
    })
    const items = (answer as { readonly items?: unknown } | null)?.items
    return Array.isArray(items) ? items.length : 0
  }

  subresource<B extends KubeObject = UnstructuredObject>(name: string): SubresourceClient<B> {
    const path = (at: Locator): string => this.#path(at, name)
    const query = (options: WriteOptions): string => this.#writeQuery(options)
    return {
      get: async (at, options = {}) => this.#object<B>({ method: 'GET', path: path(at), query: getQuery(options) }),
      update: async (at, body, options = {}) => this.#object<B>({ method: 'PUT', path: path(at), query: query(options), body }),
      patch: async (at, patch, options = {}) => this.#object<B>(this.#patchRequest(path(at), patch, options)),
      create: async (at, body, options = {}) => this.#object<B>({ method: 'POST', path: path(at), query: query(options), body }),
    }
  }

  #path(at: Locator | KubeObject, subresource?: string): string {
    return objectPath(this.kind, keyAt(this.kind, at), subresource)
  }

  #collection(namespace: string | undefined): string {
    return collectionPath(this.kind, this.kind.namespaced ? (namespace ?? '') : '')
  }

  #writeQuery(options: WriteOptions): string {
    return writeQuery(options, this.#parts.fieldManager)
  }

  #patchRequest(path: string, patch: Patch, options: WriteOptions): ApiRequest {
    const force = patch.type === 'apply' && patch.force === true
    return {
      method: 'PATCH',
      path,
      query: writeQuery({ ...options, force }, this.#parts.fieldManager),
      contentType: patchTypes[patch.type],
      body: patch.body,
    }
  }

  async #send(request: ApiRequest): Promise<unknown> {
    const { requester, headers } = this.#parts
    return (await this.#guarded(requester.json({ ...request, headers: { ...headers(), ...request.headers } }))).value
  }

  async #object<B = T>(request: ApiRequest): Promise<B> {
    return this.#checked<B>(await this.#send(request))
  }

  #checked<B = T>(value: unknown): B {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as B
    throw new ApiError('InternalError', `what the server answered about ${this.kind.resource} is no object`)
  }

  /** A resource that is not served any more: discovery is to be asked again. */
  async #guarded<R>(work: Promise<R>): Promise<R> {
    try {
      return await work
    } catch (error) {
      if (hasReason(error, 'NotFound') && error.details?.name === undefined) this.#parts.discovery.invalidate()
      throw error
    }
  }

  /** What is known of an object of which the server tells only that it is gone. */
  #remains({ namespace, name }: ObjectKey, { details }: Success): T {
    const uid = details?.uid
    const metadata = { name, ...(namespace === '' ? {} : { namespace }), ...(typeof uid === 'string' ? { uid } : {}) }
    return { apiVersion: formatApiVersion(this.kind), kind: this.kind.kind, metadata } as KubeObject as T
  }
}

interface Success {
  readonly details?: { readonly uid?: unknown }
}

const isSuccess = (value: unknown): value is Success =>
  typeof value === 'object' &&
  value !== null &&
  (value as { kind?: unknown }).kind === 'Status' &&
  (value as { status?: unknown }).status === 'Success'
