import { type DeepReadonly, formatKey, type KubeObject, keyOf } from '../objects/object.ts'

export type Change<T extends KubeObject> =
  | { readonly type: 'added'; readonly object: DeepReadonly<T> }
  | {
      readonly type: 'updated'
      readonly object: DeepReadonly<T>
      readonly old: DeepReadonly<T>
    }
  /** `object` as the deletion showed it, `old` as the table held it. */
  | {
      readonly type: 'deleted'
      readonly object: DeepReadonly<T>
      readonly old: DeepReadonly<T>
    }

/** The objects of one informer by key and by namespace. Pure memory: feeding it returns the changes that it made. */
export class ObjectTable<T extends KubeObject> {
  readonly #objects = new Map<string, DeepReadonly<T>>()
  readonly #namespaces = new Map<string, Map<string, DeepReadonly<T>>>()

  get size(): number {
    return this.#objects.size
  }

  get(key: string): DeepReadonly<T> | undefined {
    return this.#objects.get(key)
  }

  list(namespace?: string): readonly DeepReadonly<T>[] {
    const objects = namespace === undefined || namespace === '' ? this.#objects : this.#namespaces.get(namespace)
    return objects === undefined ? [] : [...objects.values()]
  }

  /** Stores an object; an object made anew under an old name is a deletion and an addition. */
  put(object: DeepReadonly<T>): readonly Change<T>[] {
    const at = keyOf(object)
    const key = formatKey(at)
    const old = this.#objects.get(key)
    if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion && old.metadata.uid === object.metadata.uid)
      return []
    this.#objects.set(key, object)
    const namespace = this.#namespaces.get(at.namespace) ?? new Map<string, DeepReadonly<T>>()
    this.#namespaces.set(at.namespace, namespace.set(key, object))
    if (old === undefined) return [{ type: 'added', object }]
    if (old.metadata.uid !== object.metadata.uid) {
      return [
        { type: 'deleted', object: old, old },
        { type: 'added', object },
      ]
    }
    return [{ type: 'updated', object, old }]
  }

  /** @param last The object as its deletion showed it; without it the last one known. */
  remove(key: string, last?: DeepReadonly<T>): readonly Change<T>[] {
    const old = this.#objects.get(key)
    if (old === undefined) return []
    this.#objects.delete(key)
    const { namespace } = keyOf(old)
    const objects = this.#namespaces.get(namespace)
    objects?.delete(key)
    if (objects?.size === 0) this.#namespaces.delete(namespace)
    return [{ type: 'deleted', object: last ?? old, old }]
  }

  /** Makes the table hold exactly these objects: what a list says after a gap in the watch. */
  replace(objects: readonly DeepReadonly<T>[]): readonly Change<T>[] {
    const keys = new Set(objects.map((object) => formatKey(keyOf(object))))
    const gone = [...this.#objects.keys()].filter((key) => !keys.has(key))
    return [...gone.flatMap((key) => this.remove(key)), ...objects.flatMap((object) => this.put(object))]
  }
}
