import type { UnstructuredObject } from '../objects/object.ts'

export type DeletionPropagation = 'Orphan' | 'Background' | 'Foreground'

export interface GetOptions {
  /** Unset: most recent. `0`: whatever is at hand. */
  readonly resourceVersion?: string
}

export interface SelectOptions {
  /** Unset or empty: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

export interface ListOptions extends SelectOptions {
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'NotOlderThan' | 'Exact'
  readonly signal?: AbortSignal
}

export interface WatchOptions extends SelectOptions {
  /** Events after this version. Unset or `0`: begins with a synthetic ADDED for each object. */
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'NotOlderThan'
  readonly allowWatchBookmarks?: boolean
  readonly sendInitialEvents?: boolean
  readonly timeoutSeconds?: number
}

export interface WriteOptions {
  /** Runs everything and stores nothing. */
  readonly dryRun?: boolean
  readonly fieldManager?: string
  /** Unknown and duplicate fields: dropped silently, dropped with a warning, or refused. Default `Warn` over HTTP, `Strict` for local clients. */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict'
  /** Paths of duplicate keys, as the parser of the body found them. */
  readonly duplicateFields?: readonly string[]
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  readonly force?: boolean
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: DeletionPropagation
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: boolean
}

export type Patch =
  | { readonly type: 'json'; readonly body: unknown }
  | { readonly type: 'merge'; readonly body: unknown }
  | { readonly type: 'strategic'; readonly body: unknown }
  | { readonly type: 'apply'; readonly body: UnstructuredObject; readonly force?: boolean }
