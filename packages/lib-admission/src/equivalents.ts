import type { GroupVersionKind, GroupVersionResource, Registry, ServedResource } from '@continuo/core'

/** One served form of a resource, or of one of its subresources. */
export interface ResourceForm {
  readonly resource: GroupVersionResource
  readonly kind: GroupVersionKind
}

/** The kind of a subresource's body in this version; undefined when the version does not have it. */
export function formOf(served: ServedResource, subresource: string): ResourceForm | undefined {
  if (subresource === '') return { resource: served.gvr, kind: served.gvk }
  const found = served.version.subresources?.find(({ name }) => name === subresource)
  return found === undefined ? undefined : { resource: served.gvr, kind: found.kind }
}

/** Every served form of one resource: its versions, and the groups in which it is served as well. Looked up once for each state of the registry. */
export class Equivalents {
  readonly #registry: Registry
  #generation = -1
  #forms = new Map<unknown, readonly ServedResource[]>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  of(served: ServedResource): readonly ServedResource[] {
    if (this.#generation !== this.#registry.generation) {
      this.#generation = this.#registry.generation
      this.#forms = Map.groupBy(this.#registry.served(), ({ definition }) => definition)
    }
    return this.#forms.get(served.definition) ?? [served]
  }
}
