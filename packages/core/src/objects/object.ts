/** Who owns which fields of an object, as `metadata.managedFields` carries it (KEP-555). */
export interface ManagedFieldsEntry {
  manager?: string
  operation?: 'Apply' | 'Update'
  apiVersion?: string
  /** RFC 3339, seconds. */
  time?: string
  fieldsType?: 'FieldsV1'
  /** The set of owned paths in FieldsV1 form: `f:name`, `k:{"key":"value"}`, `v:value`, `i:index`, `.`. */
  fieldsV1?: Record<string, unknown>
  subresource?: string
}

/** A link from an object to one that it depends on; the garbage collector follows it. */
export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  /** True for the one owner that manages this object. */
  controller?: boolean
  /** True when a foreground deletion of the owner waits for this object. */
  blockOwnerDeletion?: boolean
}

/** Metadata of every persisted object. Every time is RFC 3339 in whole seconds, in UTC. */
export interface ObjectMeta {
  name: string
  generateName?: string
  namespace?: string
  uid?: string
  /** Opaque to clients. Here: a stored base plus the store's revision, in decimal. */
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
  selfLink?: string
}

/** Any object of the API: its kind and version, its metadata, and fields that only its schema knows. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** An object whose fields beyond the metadata are unknown at compile time. */
export interface UnstructuredObject extends KubeObject {
  [field: string]: unknown
}

/** The condition that most kinds carry in `status.conditions`. */
export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  observedGeneration?: number
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface ListMeta {
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
}

export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion: string
  kind: string
  metadata: ListMeta
  items: T[]
}

/** Namespace and name. `namespace` is the empty string for cluster-scoped objects. */
export interface ObjectKey {
  readonly namespace: string
  readonly name: string
}

/** Recursively read-only: what caches and informers hand out. */
export type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

export const keyOf = (object: DeepReadonly<KubeObject>): ObjectKey => ({
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name,
})

/** `namespace/name`, or just `name` for a cluster-scoped object. The form that work queues and logs use. */
export const formatKey = (key: ObjectKey): string => (key.namespace === '' ? key.name : `${key.namespace}/${key.name}`)

/** The inverse of {@link formatKey}. */
export function parseKey(text: string): ObjectKey {
  const slash = text.indexOf('/')
  return slash < 0 ? { namespace: '', name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) }
}

/** The owner that has `controller: true`, if any. */
export const controllerOf = (object: DeepReadonly<KubeObject>): DeepReadonly<OwnerReference> | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller === true)
