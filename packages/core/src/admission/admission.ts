import type { Caller } from '../client/caller.ts'
import { hook } from '../hooks/hook.ts'
import type { GroupVersionKind, GroupVersionResource } from '../objects/names.ts'
import type { DeepReadonly, KubeObject, ObjectKey, UnstructuredObject } from '../objects/object.ts'
import type { Kind } from '../resources/resource.ts'

/** A write of another object in the commit of the request: all or nothing. A conflict on it reruns the whole pipeline; a dry run drops it. */
export type CompanionWrite =
  | { readonly type: 'create'; readonly kind: Kind; readonly object: KubeObject }
  /** `object.metadata.resourceVersion` must be the version that was read. */
  | { readonly type: 'update'; readonly kind: Kind; readonly object: KubeObject }
  | { readonly type: 'delete'; readonly kind: Kind; readonly key: ObjectKey; readonly resourceVersion: string }
  /** A key outside the objects, below `allocations/`: addresses and ports. It must be absent to be put. */
  | { readonly type: 'claim'; readonly key: string; readonly value: string }
  | { readonly type: 'release'; readonly key: string }

/** Reads for admission: cached and as new as the store's head when the request began. */
export interface AdmissionReader {
  get<T extends KubeObject>(kind: Kind<T>, key: ObjectKey): DeepReadonly<T> | undefined
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly DeepReadonly<T>[]
  /** Value of a claim, with linearizable consistency. */
  claim(key: string): Promise<string | undefined>
}

/**
 * One request on its way into the store. Admission never writes through a client: it changes `object` (mutating stage only),
 * warns, adds conditions and companion writes, or throws an `ApiError` (403 Forbidden, 422 Invalid) to refuse.
 * The pipeline may run more than once for one request; do nothing that cannot be repeated.
 */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly resource: GroupVersionResource
  readonly kind: GroupVersionKind
  readonly subresource?: string
  readonly namespace: string
  readonly name: string
  /** True for a creation whose name came from `generateName`: the client does not know it yet. */
  readonly isNameGenerated?: boolean
  /** Absent for deletions. For CONNECT the options of the stream; for a subresource with a kind of its own the parent as it will be. */
  readonly object?: UnstructuredObject
  readonly oldObject?: DeepReadonly<UnstructuredObject>
  readonly options: Readonly<Record<string, unknown>>
  readonly dryRun: boolean
  readonly caller: Caller
  readonly read: AdmissionReader
  /** What was sent to a subresource that has a kind of its own and cannot be read back from the parent: a binding. */
  readonly body?: DeepReadonly<UnstructuredObject>
  /** True in the second round of the mutating stage, which {@link AdmissionRequest.reinvoke} brings about. */
  readonly isReinvocation: boolean
  warn(text: string): void
  /** A fact for the audit log, such as `policy.example.com/verdict`. The first value of a key counts. */
  annotate(key: string, value: string): void
  /** Mutating stage only: lets every mutating tap see the object again, once, after the last of them. What they asked of the commit is asked anew. */
  reinvoke(): void
  /** The commit happens only if this object is still at this version. */
  condition(kind: Kind, key: ObjectKey, resourceVersion: string): void
  companion(write: CompanionWrite): void
}

/** Mutating admission: `pre` for defaults of the system, `main` for policies, `post` for what must see the rest. */
export const AdmissionMutate = hook<AdmissionRequest>('admission/mutate')

/** Validating admission: runs after schema validation on the final object. */
export const AdmissionValidate = hook<AdmissionRequest>('admission/validate')

/** What was committed, for audit and the like. Called once, after the commit; cannot refuse. */
export const AdmissionCommitted = hook<{ readonly request: AdmissionRequest; readonly resourceVersion: string }>('admission/committed')
