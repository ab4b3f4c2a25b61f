import type { DeepReadonly, KubeObject, ObjectKey } from '../objects/object.ts'
import type { Kind } from '../resources/resource.ts'

/** Synchronous reads of an informer's cache. Objects are shared: read-only by type, frozen in development. */
export interface Lister<T extends KubeObject> {
  get(key: ObjectKey | string): DeepReadonly<T> | undefined
  /** In no particular order. */
  list(namespace?: string): readonly DeepReadonly<T>[]
  /** Objects for which the named index function returned the value. Throws `INFORMER_UNKNOWN_INDEX`. */
  byIndex(index: string, value: string): readonly DeepReadonly<T>[]
  /**
   * Resolves when the cache holds this version: instead of relying on reading one's own writes. For the version of an object of another kind,
   * or of one that the selectors leave out, it waits for the next bookmark of the server: up to a minute.
   */
  reached(resourceVersion: string, signal?: AbortSignal): Promise<void>
  readonly size: number
}

export interface InformerHandlers<T extends KubeObject> {
  added?(object: DeepReadonly<T>): void
  updated?(object: DeepReadonly<T>, old: DeepReadonly<T>): void
  deleted?(object: DeepReadonly<T>): void
}

export interface InformerOptions<T extends KubeObject> {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly indexes?: Readonly<Record<string, (object: DeepReadonly<T>) => readonly string[]>>
  /** Keeps only a part of each object in memory. Must keep apiVersion, kind and metadata. */
  readonly project?: (object: T) => T
}

/**
 * A live local copy of a kind, fed by list and watch; it reconnects, resumes and relists by itself.
 * Informers with the same kind and options share one watch within a host.
 */
export interface Informer<T extends KubeObject> {
  readonly kind: Kind<T>
  readonly lister: Lister<T>
  /** True after the first complete list. */
  readonly synced: boolean
  whenSynced(signal?: AbortSignal): Promise<void>
  /** Handlers run synchronously in the order of events and must not throw; those that do are logged and isolated. */
  on(handlers: InformerHandlers<T>): () => void
}
