import { ContinuoError } from '../errors/continuo-error.ts'
import { type DeepReadonly, formatKey, type KubeObject, keyOf } from '../objects/object.ts'
import type { Change } from './object-table.ts'

type IndexFunction<T extends KubeObject> = (object: DeepReadonly<T>) => readonly string[]

interface Index<T extends KubeObject> {
  readonly of: IndexFunction<T>
  readonly values: Map<string, Map<string, DeepReadonly<T>>>
}

/** Named indexes of an informer, kept by its changes: a look-up costs what it finds. */
export class IndexTable<T extends KubeObject> {
  readonly #indexes: ReadonlyMap<string, Index<T>>

  constructor(functions: Readonly<Record<string, IndexFunction<T>>> = {}) {
    this.#indexes = new Map(Object.entries(functions).map(([name, of]) => [name, { of, values: new Map() }]))
  }

  get empty(): boolean {
    return this.#indexes.size === 0
  }

  apply(change: Change<T>): void {
    for (const index of this.#indexes.values()) {
      if (change.type !== 'added') this.#remove(index, change.old)
      if (change.type !== 'deleted') this.#add(index, change.object)
    }
  }

  /** Throws `INFORMER_UNKNOWN_INDEX`. */
  find(name: string, value: string): readonly DeepReadonly<T>[] {
    const index = this.#indexes.get(name)
    if (index === undefined) {
      throw new ContinuoError('INFORMER_UNKNOWN_INDEX', `informer has no index ${JSON.stringify(name)}`, {
        hint: this.empty ? 'declare it in the options of ctx.informer' : `it has ${[...this.#indexes.keys()].join(', ')}`,
      })
    }
    return [...(index.values.get(value)?.values() ?? [])]
  }

  #add(index: Index<T>, object: DeepReadonly<T>): void {
    const key = formatKey(keyOf(object))
    for (const value of index.of(object)) {
      const objects = index.values.get(value) ?? new Map<string, DeepReadonly<T>>()
      index.values.set(value, objects.set(key, object))
    }
  }

  #remove(index: Index<T>, object: DeepReadonly<T>): void {
    const key = formatKey(keyOf(object))
    for (const value of index.of(object)) {
      const objects = index.values.get(value)
      objects?.delete(key)
      if (objects?.size === 0) index.values.delete(value)
    }
  }
}
