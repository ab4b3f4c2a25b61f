import { notServed } from '../client/api-errors.ts'
import type { ServiceParts } from '../client/service-parts.ts'
import { StoredView } from '../client/stored-view.ts'
import type { DeepReadonly, KubeObject, ObjectKey } from '../objects/object.ts'
import type { ServedResource } from '../resources/registry.ts'
import type { Kind } from '../resources/resource.ts'
import { claimKey, collectionPrefix, objectKey } from '../resources/storage-key.ts'
import type { AdmissionReader } from './admission.ts'

/**
 * Reads from the watch cache, which reached the store's head before admission began.
 * Synchronous, so it reads only versions that need no conversion: a kind that converts is read in its storage version.
 */
export class CachedAdmissionReader implements AdmissionReader {
  readonly #parts: ServiceParts

  constructor(parts: ServiceParts) {
    this.#parts = parts
  }

  get<T extends KubeObject>(kind: Kind<T>, key: ObjectKey): DeepReadonly<T> | undefined {
    const served = this.#served(kind)
    const entry = this.#parts.cache.get(objectKey(served.definition, kind.namespaced ? key.namespace : '', key.name))
    return entry === undefined
      ? undefined
      : (new StoredView(this.#parts.views, this.#parts.forms.of(served), entry).object as unknown as DeepReadonly<T>)
  }

  list<T extends KubeObject>(kind: Kind<T>, namespace = ''): readonly DeepReadonly<T>[] {
    const served = this.#served(kind)
    const form = this.#parts.forms.of(served)
    const { entries } = this.#parts.cache.list(collectionPrefix(served.definition, namespace))
    return entries.map((entry) => new StoredView(this.#parts.views, form, entry).object as unknown as DeepReadonly<T>)
  }

  async claim(key: string): Promise<string | undefined> {
    const { entry } = await this.#parts.store.get(claimKey(key))
    return entry === undefined ? undefined : Buffer.from(entry.value).toString()
  }

  #served(kind: Kind): ServedResource {
    const served = this.#parts.registry.resolve(kind)
    if (served === undefined) throw notServed()
    return served
  }
}
