import type { UserInfo } from '../client/caller.ts'
import type { FieldError } from '../errors/field-error.ts'
import type { SchemaRuleSet } from '../kinds/custom/custom-resource-extensions.ts'
import type { GroupVersionKind, GroupVersionResource } from '../objects/names.ts'
import type { DeepReadonly, KubeObject, UnstructuredObject } from '../objects/object.ts'
import type { Schema } from '../schema/schema.ts'

declare const object: unique symbol

/**
 * A typed handle of one version of a resource: what `client.for(kind)`, informers and controllers take.
 * By convention it bears the name of its type: `export const Namespace = kind<Namespace>({ … })`.
 */
export interface Kind<T extends KubeObject = KubeObject> extends GroupVersionKind, GroupVersionResource {
  readonly namespaced: boolean
  readonly [object]?: T
}

/** @example export const Widget = kind<Widget>({ group: 'demo.io', version: 'v1', kind: 'Widget', resource: 'widgets', namespaced: true }) */
export const kind = <T extends KubeObject>(definition: Omit<Kind<T>, typeof object>): Kind<T> => definition

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** One column of a Table. `priority` above 0 is shown by `-o wide` alone. */
export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description?: string
  readonly priority?: number
}

/** How objects become rows. Pure; `now` is wall time in milliseconds. A row has one cell for each column. */
export interface TableDefinition {
  readonly columns: readonly PrinterColumn[]
  row(object: DeepReadonly<UnstructuredObject>, now: number): readonly unknown[]
}

/** A subresource that reads and writes a part of its parent through a body of its own kind. Functions are pure. */
export interface ObjectSubresource {
  readonly type: 'object'
  readonly name: string
  /** Kind of the body: the parent's own for `status`, `autoscaling/v1 Scale` for `scale`. */
  readonly kind: GroupVersionKind
  readonly verbs: readonly ('get' | 'update' | 'patch' | 'create')[]
  /** The body for a parent. Absent: the body is the parent itself. */
  read?(parent: DeepReadonly<UnstructuredObject>): UnstructuredObject
  /**
   * The parent as it shall be stored. `body` has been decoded and defaulted; `parent` is a copy that may be changed and returned.
   * May throw an ApiError. The result runs through validation and admission like any update.
   */
  write(parent: UnstructuredObject, body: UnstructuredObject): UnstructuredObject
  /** Schema of the body when its kind is not the parent's. */
  readonly schema?: Schema
  /** Columns of the body when its kind is not the parent's. Default: its name and its age. */
  readonly table?: TableDefinition
}

/** A subresource whose POST does something: eviction, token. Its doer is a provider of `subresource-action/v1`. */
export interface ActionSubresource {
  readonly type: 'action'
  readonly name: string
  readonly kind: GroupVersionKind
  readonly verbs: readonly 'create'[]
  readonly schema?: Schema
}

/** A subresource that is a stream or a proxied call: log, exec. The server of the API forwards it. */
export interface ConnectSubresource {
  readonly type: 'connect'
  readonly name: string
  readonly kind: GroupVersionKind
  readonly verbs: readonly ('get' | 'create' | 'update' | 'patch' | 'delete')[]
}

export type Subresource = ObjectSubresource | ActionSubresource | ConnectSubresource

/** One served form of a resource. */
export interface VersionDefinition {
  readonly name: string
  /** Default true. */
  readonly served?: boolean
  readonly deprecated?: boolean
  readonly deprecationWarning?: string
  /** A function is called at most once, when the schema is first needed: keeps start-up quick. */
  readonly schema: Schema | (() => Schema)
  readonly table?: TableDefinition
  readonly subresources?: readonly Subresource[]
  /** What a custom resource's schema says beyond its types; runs on objects that the schema allows. */
  readonly rules?: SchemaRuleSet
  /** Fields beside `metadata.name` and `metadata.namespace` that field selectors may name. */
  readonly selectableFields?: Readonly<Record<string, (object: DeepReadonly<UnstructuredObject>) => string>>
}

/** What deletion asks of a resource that ends gracefully. */
export interface DeletionRequest {
  /** What the client asked for. */
  readonly gracePeriodSeconds?: number
}

/**
 * Rules of a resource, as pure functions. All are optional; every one sees objects of the version of the request.
 * Functions that take `next` may change it in place: it is a private copy.
 */
export interface ResourceStrategy {
  /** Defaults that the schema cannot express. Runs on every decode of a write, after the schema's own. */
  default?(next: UnstructuredObject): void
  /**
   * Clears what a client may not set at creation, and says who creates it where the object is to tell.
   * `status` is dropped by core when the version has a status subresource.
   */
  prepareForCreate?(next: UnstructuredObject, creator: UserInfo): void
  /** Restores what an update through the main resource may not change. `status` is kept by core likewise. */
  prepareForUpdate?(next: UnstructuredObject, old: DeepReadonly<UnstructuredObject>): void
  /** `old` is what an update replaces: for rules that what was stored already need not keep. */
  validate?(next: DeepReadonly<UnstructuredObject>, old?: DeepReadonly<UnstructuredObject>): readonly FieldError[]
  /** Runs after `validate`, for updates of the resource and of its subresources. */
  validateUpdate?(
    next: DeepReadonly<UnstructuredObject>,
    old: DeepReadonly<UnstructuredObject>,
    subresource: string | undefined,
  ): readonly FieldError[]
  warnings?(next: DeepReadonly<UnstructuredObject>, old: DeepReadonly<UnstructuredObject> | undefined): readonly string[]
  /** The kind has a `metadata.generation` although it has no spec. Default: custom resources and kinds with a spec have one. */
  readonly countsGeneration?: boolean
  /** True when an update raises `metadata.generation`. Default: anything but metadata and status differs. */
  changesGeneration?(next: DeepReadonly<UnstructuredObject>, old: DeepReadonly<UnstructuredObject>): boolean
  /** The object's name rule. Default: a DNS-1123 subdomain of at most 253 characters. Returns what is wrong with the name. */
  validateName?(name: string, isPrefix: boolean): readonly string[]
  /**
   * Seconds of grace with which the object is deleted. Default 0: at once (finalizers apart).
   * Above 0 the object is marked and whoever runs it deletes it with grace 0.
   */
  gracePeriodSeconds?(object: DeepReadonly<UnstructuredObject>, request: DeletionRequest): number
  /** True while something beside `metadata.finalizers` holds a deletion: the object is marked, and goes with the update that makes this false. */
  holdsDeletion?(object: DeepReadonly<UnstructuredObject>): boolean
  /** Runs when the object is marked for deletion and stays for the time being: sets a phase. */
  prepareForDelete?(next: UnstructuredObject): void
  /** Moment in wall milliseconds when the object expires, if it does. The expiry controller deletes it then. */
  expiresAt?(object: DeepReadonly<UnstructuredObject>): number | undefined
  /** A PUT of an absent object creates it. */
  readonly allowCreateOnUpdate?: boolean
  /** A PUT without resourceVersion is allowed. Default true. */
  readonly allowUnconditionalUpdate?: boolean
  /** What deletion does to dependents when the client does not say. Default `Background`. */
  readonly defaultPropagation?: 'Background' | 'Orphan'
}

/** The same resource served in another group, such as core and events.k8s.io events. */
export interface ResourceAlias {
  readonly group: string
  readonly versions: readonly VersionDefinition[]
}

/** Everything about a resource: data plus pure functions. The live registry holds these. */
export interface ResourceDefinition {
  readonly group: string
  readonly plural: string
  /** Default: the kind in lower case. */
  readonly singular?: string
  readonly kind: string
  /** Default: the kind followed by `List`. */
  readonly listKind?: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly namespaced: boolean
  /** Default: all. */
  readonly verbs?: readonly Verb[]
  /** In order of preference. */
  readonly versions: readonly VersionDefinition[]
  /** Name of the version in which objects are stored. */
  readonly storageVersion: string
  readonly aliases?: readonly ResourceAlias[]
  readonly strategy?: ResourceStrategy
  /**
   * Converts objects to `apiVersion`, in order; needed as soon as there is more than one version that differs by more than its name.
   * Asynchronous because a webhook may do it. Must not change its input. Default: sets `apiVersion`.
   */
  convert?(objects: readonly UnstructuredObject[], apiVersion: string, signal?: AbortSignal): Promise<UnstructuredObject[]>
  /** True for a resource that comes from a CustomResourceDefinition: unknown fields are pruned, strategic merge patch is refused. */
  readonly custom?: boolean
  /** Name of the CustomResourceDefinition that it comes from: nothing is created without it, or once it is being deleted. */
  readonly definedBy?: string
  /** Stored objects may hold fields that the served schema does not know: they are pruned when they are read, too. */
  readonly prunesOnRead?: boolean
  /**
   * Never stored: reviews, measurements and the like. A create is answered by a provider of `subresource-action/v1` under the subresource '',
   * gets and lists by one of `virtual-objects/v1`. Its verbs are those of {@link ResourceDefinition.verbs}, `create` alone when they are not said.
   */
  readonly virtual?: boolean
}

/** Declares a resource; checks what types cannot: the storage version exists, names are lower-case. Throws `RESOURCE_INVALID`. */
export { defineResource } from './define-resource.ts'
