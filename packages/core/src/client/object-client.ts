import { capability } from '../capability/capability.ts'
import type { GroupVersionResource } from '../objects/names.ts'
import type { KubeList, KubeObject, ObjectKey, UnstructuredObject } from '../objects/object.ts'
import type { Kind } from '../resources/resource.ts'
import type { Fence, UserInfo } from './caller.ts'
import type { ApplyOptions, DeleteOptions, GetOptions, ListOptions, Patch, SelectOptions, WatchOptions, WriteOptions } from './options.ts'

/** An object's identity: a key, an object that bears it, or `namespace/name` as text. */
export type Locator = ObjectKey | string

export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Progress: everything up to `resourceVersion` has been delivered. `initialEventsEnd` closes the initial state of a streaming list. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd?: boolean }

/** Reads and writes one part of an object: `status`, `scale`, `binding`. */
export interface SubresourceClient<B extends KubeObject = UnstructuredObject> {
  get(at: Locator, options?: GetOptions): Promise<B>
  update(at: Locator, body: B, options?: WriteOptions): Promise<B>
  patch(at: Locator, patch: Patch, options?: WriteOptions): Promise<B>
  create(at: Locator, body: KubeObject, options?: WriteOptions): Promise<B>
}

/**
 * Everything that the API offers for one kind. Objects that are returned belong to the caller.
 * Every method throws only `ApiError`.
 */
export interface ResourceClient<T extends KubeObject> {
  readonly kind: Kind<T>
  get(at: Locator, options?: GetOptions): Promise<T>
  list(options?: ListOptions): Promise<KubeList<T>>
  /**
   * Resolves when the watch has begun. Ends normally when the server closes it or the signal aborts;
   * throws 410 `Expired` when the version is too old, before or in mid-stream.
   */
  watch(options: WatchOptions & { readonly signal: AbortSignal }): Promise<AsyncIterable<WatchEvent<T>>>
  create(object: T, options?: WriteOptions): Promise<T>
  /** Replaces the object; its resourceVersion, when set, must be the current one. */
  update(object: T, options?: WriteOptions): Promise<T>
  updateStatus(object: T, options?: WriteOptions): Promise<T>
  patch(at: Locator, patch: Patch, options?: WriteOptions): Promise<T>
  /** Server-side apply. The object needs apiVersion, kind and name. */
  apply(object: T, options: ApplyOptions): Promise<T>
  /** The object as it was last, or as it is while finalizers or a grace period hold it. Throws 404 when absent. */
  delete(at: Locator, options?: DeleteOptions): Promise<T>
  deleteCollection(select: SelectOptions, options?: DeleteOptions): Promise<number>
  subresource<B extends KubeObject = UnstructuredObject>(name: string): SubresourceClient<B>
}

/**
 * The one way in which controllers, schedulers and agents speak with the API. Two implementations pass one suite:
 * local, in the control plane's process, and over HTTP. A plugin never knows which it got.
 * @example const web = await ctx.client.for(Namespace).get('default')
 */
export interface ObjectClient {
  for<T extends KubeObject>(kind: Kind<T>): ResourceClient<T>
  /** For kinds that are known only at run time. Throws 404 when the resource is not served. */
  resource(gvr: GroupVersionResource): Promise<ResourceClient<UnstructuredObject>>
  /** The same client acting for somebody else, with authorisation. Throws 403 where that is not allowed. */
  as(user: UserInfo): ObjectClient
  with(identity: { readonly fieldManager?: string; readonly fence?: Fence; readonly cause?: string }): ObjectClient
  /** Everything that is served now: for garbage collection, namespace deletion and other generic controllers. */
  resources(): Promise<readonly ServedKind[]>
}

/** A kind as it is served, with what else it may be called by. */
export interface ServedKind extends Kind<UnstructuredObject> {
  readonly shortNames: readonly string[]
}

export const ObjectClientCap = capability<ObjectClient>('object-client/v1', { swappable: true })
