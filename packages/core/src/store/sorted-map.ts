import { compareKeys, comparePlainKeys, isExoticKey } from './key-order.ts'

const chunkSize = 512

interface Position {
  readonly chunk: number
  readonly index: number
}

/**
 * Values in the byte order of their keys: a hash map beside sorted chunks of at most 512 values.
 * `get` is O(1); `set` and `delete` are O(log n); a range costs O(log n) plus its values, its count one step per chunk.
 */
export class SortedMap<V extends { readonly key: string }> {
  readonly #values = new Map<string, V>()
  readonly #chunks: V[][] = []
  #compare = comparePlainKeys

  get size(): number {
    return this.#values.size
  }

  get(key: string): V | undefined {
    return this.#values.get(key)
  }

  /** Adds the value, or puts it in the place of the one with the same key, which is returned. */
  set(value: V): V | undefined {
    const { key } = value
    const previous = this.#values.get(key)
    this.#values.set(key, value)
    if (previous === undefined && this.#compare === comparePlainKeys && isExoticKey(key)) this.#sortByBytes()
    const { chunk, index } = this.#lowerBound(key)
    const values = this.#chunks[chunk]
    if (previous !== undefined) (values as V[])[index] = value
    else if (values === undefined) this.#append(value)
    else this.#insert(chunk, index, value)
    return previous
  }

  delete(key: string): V | undefined {
    const previous = this.#values.get(key)
    if (previous === undefined) return undefined
    this.#values.delete(key)
    const { chunk, index } = this.#lowerBound(key)
    const values = this.#chunks[chunk] as V[]
    values.splice(index, 1)
    const next = this.#chunks[chunk + 1]
    if (values.length === 0) this.#chunks.splice(chunk, 1)
    else if (next !== undefined && values.length + next.length < chunkSize / 4) this.#chunks.splice(chunk, 2, [...values, ...next])
    return previous
  }

  clear(): void {
    this.#values.clear()
    this.#chunks.length = 0
    this.#compare = comparePlainKeys
  }

  /** Values whose keys have the prefix, in order, from `startKey` on, at most `limit`. */
  list(prefix: string, startKey?: string, limit = Number.POSITIVE_INFINITY): V[] {
    const found: V[] = []
    for (const value of this.range(prefix, startKey)) {
      if (found.length >= limit) break
      found.push(value)
    }
    return found
  }

  /** Walks the values of a range. The map must not change meanwhile. */
  *range(prefix: string, startKey?: string): Generator<V, void, undefined> {
    const start = this.#startOf(prefix, startKey)
    for (let chunk = start.chunk; chunk < this.#chunks.length; chunk++) {
      const values = this.#chunks[chunk] as V[]
      for (let index = chunk === start.chunk ? start.index : 0; index < values.length; index++) {
        const value = values[index] as V
        if (!value.key.startsWith(prefix)) return
        yield value
      }
    }
  }

  /** Number of keys with the prefix, from `startKey` on. */
  count(prefix: string, startKey?: string): number {
    if (prefix === '' && startKey === undefined) return this.size
    const start = this.#startOf(prefix, startKey)
    const end = this.#endOf(prefix)
    if (start.chunk > end.chunk || (start.chunk === end.chunk && start.index >= end.index)) return 0
    if (start.chunk === end.chunk) return end.index - start.index
    let count = (this.#chunks[start.chunk] as V[]).length - start.index + end.index
    for (let chunk = start.chunk + 1; chunk < end.chunk; chunk++) count += (this.#chunks[chunk] as V[]).length
    return count
  }

  #startOf(prefix: string, startKey: string | undefined): Position {
    return this.#lowerBound(startKey !== undefined && this.#compare(startKey, prefix) > 0 ? startKey : prefix)
  }

  /** The first position whose key is not below `key`. */
  #lowerBound(key: string): Position {
    return this.#search((other) => this.#compare(other, key) < 0)
  }

  /** The first position behind every key with the prefix. */
  #endOf(prefix: string): Position {
    return this.#search((other) => other.startsWith(prefix) || this.#compare(other, prefix) < 0)
  }

  /** The first position for which `before` no longer holds. */
  #search(before: (key: string) => boolean): Position {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (before(lastOf(this.#chunks[middle] as V[]).key)) low = middle + 1
      else high = middle
    }
    const values = this.#chunks[low]
    if (values === undefined) return { chunk: low, index: 0 }
    let first = 0
    let last = values.length
    while (first < last) {
      const middle = (first + last) >>> 1
      if (before((values[middle] as V).key)) first = middle + 1
      else last = middle
    }
    return { chunk: low, index: first }
  }

  #append(value: V): void {
    const last = this.#chunks.at(-1)
    if (last === undefined || last.length >= chunkSize) this.#chunks.push([value])
    else last.push(value)
  }

  #insert(chunk: number, index: number, value: V): void {
    const values = this.#chunks[chunk] as V[]
    values.splice(index, 0, value)
    if (values.length > chunkSize) this.#chunks.splice(chunk + 1, 0, values.splice(values.length >>> 1))
  }

  #sortByBytes(): void {
    this.#compare = compareKeys
  }
}

const lastOf = <V>(values: readonly V[]): V => values[values.length - 1] as V
