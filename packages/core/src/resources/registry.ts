import { capability } from '../capability/capability.ts'
import type { GroupResource, GroupVersionKind, GroupVersionResource } from '../objects/names.ts'
import type { Schema } from '../schema/schema.ts'
import type { ResourceDefinition, VersionDefinition } from './resource.ts'

/** One served version of a registered resource, with everything looked up. */
export interface ServedResource {
  readonly definition: ResourceDefinition
  readonly version: VersionDefinition
  /** Group of the request, which is the alias's for an aliased one. */
  readonly gvr: GroupVersionResource
  readonly gvk: GroupVersionKind
  readonly apiVersion: string
  /** Resolved lazily, once. */
  readonly schema: Schema
}

export interface RegistryChange {
  readonly type: 'added' | 'replaced' | 'removed'
  readonly resource: GroupResource
  readonly definition: ResourceDefinition
}

/** The live table of resources. They are added, replaced and removed while running, and listeners hear of it synchronously. */
export interface Registry {
  /** Throws `RESOURCE_CONFLICT` when the plural, kind or a short form is taken by another owner. Disposing removes it again. */
  add(definition: ResourceDefinition, owner: string): Disposable & { replace(definition: ResourceDefinition): void }
  /** A served version of a resource, aliases included. */
  resolve(gvr: GroupVersionResource): ServedResource | undefined
  resolveKind(gvk: GroupVersionKind): ServedResource | undefined
  /** The definition by group and plural, aliases included. */
  get(resource: GroupResource): ResourceDefinition | undefined
  /** Every definition, in a stable order. */
  all(): readonly ResourceDefinition[]
  /** Every served group version with its resources, preferred versions first: what discovery publishes. */
  served(): readonly ServedResource[]
  onChange(listener: (change: RegistryChange) => void): () => void
  /** Rises with every change. */
  readonly generation: number
}

export const RegistryCap = capability<Registry>('registry/v1')
