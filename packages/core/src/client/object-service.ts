import { capability } from '../capability/capability.ts'
import type { GroupVersionResource } from '../objects/names.ts'
import type { DeepReadonly, UnstructuredObject } from '../objects/object.ts'
import type { Registry } from '../resources/registry.ts'
import type { Caller } from './caller.ts'
import type { DeleteOptions, GetOptions, ListOptions, Patch, WatchOptions, WriteOptions } from './options.ts'

/** Which object, in which version, and which part of it. */
export interface ObjectRef extends GroupVersionResource {
  /** Empty for cluster-scoped resources. */
  readonly namespace: string
  readonly name: string
  readonly subresource?: string
}

/**
 * One version of one object, shared by every reader and watcher of it: never change what it hands out.
 * It decodes when first asked, and remembers each encoding, so that a thousand watchers cost one.
 */
export interface ObjectView {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** In the version that was asked for, with resourceVersion set. */
  readonly object: DeepReadonly<UnstructuredObject>
  /** JSON of {@link ObjectView.object}. */
  readonly json: Uint8Array
  /** Writes {@link ObjectView.json} into `target` from `at` on and returns where it ends; -1, and nothing is written, when it does not fit. */
  writeJson(target: Buffer, at: number): number
  /** `make()` for the first caller with this form (such as `table/2` or `event/MODIFIED`), the same bytes for all others. */
  encoded(form: string, make: (view: ObjectView) => Uint8Array): Uint8Array
}

export interface ObjectViewList {
  readonly items: readonly ObjectView[]
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

export type WatchViewEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly view: ObjectView }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd?: boolean }

/**
 * A cursor into the watch cache. A consumer takes what is there and waits for more;
 * nothing is queued for it beyond the cache's shared ring, and one that falls off the ring gets 410 `Expired`.
 */
export interface WatchCursor {
  /** Events that are at hand, at most `max`, without waiting. Throws `ApiError` Expired when it fell behind. */
  take(max: number): readonly WatchViewEvent[]
  /** Resolves when `take` will return something or the cursor has ended. */
  ready(): Promise<void>
  /** True after the resource was removed, the timeout passed, or `close` was called, and everything was taken. */
  readonly ended: boolean
  /** Asks for a bookmark as soon as everything before it was taken, without waiting for the next one that is due. Does nothing where none are wanted. */
  requestBookmark(): void
  close(): void
}

/** What a write gives back: the object as stored, and for deletions whether it is gone. */
export interface WriteResult {
  readonly view: ObjectView
  /** An update or apply made the object. */
  readonly created: boolean
  /** The object is no longer in the store. */
  readonly deleted: boolean
}

/** The object behind a stream, and the stream's options as admission leaves them. */
export interface ConnectResult {
  readonly view: ObjectView
  readonly options: UnstructuredObject
}

/**
 * The machine behind the API: defaulting, admission, validation, field ownership, commit, and reads from the watch cache.
 * Servers of the API call it with views and bytes; everybody else uses the typed {@link ObjectClient} on top.
 * Every method throws only `ApiError`.
 */
export interface ObjectService {
  readonly registry: Registry
  get(ref: ObjectRef, options: GetOptions, caller: Caller): Promise<ObjectView>
  list(collection: Omit<ObjectRef, 'name'>, options: ListOptions, caller: Caller): Promise<ObjectViewList>
  watch(collection: Omit<ObjectRef, 'name'>, options: WatchOptions, caller: Caller): Promise<WatchCursor>
  create(ref: ObjectRef, body: UnstructuredObject, options: WriteOptions, caller: Caller): Promise<WriteResult>
  update(ref: ObjectRef, body: UnstructuredObject, options: WriteOptions, caller: Caller): Promise<WriteResult>
  patch(ref: ObjectRef, patch: Patch, options: WriteOptions, caller: Caller): Promise<WriteResult>
  delete(ref: ObjectRef, options: DeleteOptions, caller: Caller): Promise<WriteResult>
  /** Deletes what the selectors choose, each by itself; the objects that were chosen. */
  deleteCollection(collection: Omit<ObjectRef, 'name'>, list: ListOptions, options: DeleteOptions, caller: Caller): Promise<ObjectViewList>
  /** Reads an object and admits a stream into it: exec, attach, port-forward, proxy. `options` is of the subresource's own kind. */
  connect(ref: ObjectRef, options: UnstructuredObject, caller: Caller): Promise<ConnectResult>
  /** Resolves when the cache holds everything up to the store's head. */
  caughtUp(signal?: AbortSignal): Promise<void>
}

export const ObjectServiceCap = capability<ObjectService>('object-service/v1')

/** Does what the POST of an {@link ActionSubresource} asks. Keyed `group/plural/subresource`; the subresource is empty for virtual resources. */
export interface SubresourceAction {
  run(request: {
    readonly ref: ObjectRef
    readonly body: UnstructuredObject
    readonly options: WriteOptions
    readonly caller: Caller
  }): Promise<UnstructuredObject>
}

/**
 * Answers reads of a virtual resource: its objects are computed when they are asked for. Keyed `group/plural`. They have names
 * (and namespaces, if the resource is namespaced); the object service applies selectors. Called for each request, and should answer quickly.
 */
export interface VirtualObjects {
  /** All objects of a namespace, of all for the empty one. */
  list(namespace: string): Promise<readonly UnstructuredObject[]>
  /** Undefined: there is none. */
  get(namespace: string, name: string): Promise<UnstructuredObject | undefined>
}

export const VirtualObjectsCap = capability<VirtualObjects, 'many'>('virtual-objects/v1', { cardinality: 'many' })

export const SubresourceActionCap = capability<SubresourceAction, 'many'>('subresource-action/v1', { cardinality: 'many' })
