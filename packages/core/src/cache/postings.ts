import { SortedMap } from '../store/sorted-map.ts'
import type { CacheEntry } from './watch-cache.ts'

/** Most keys are borne by one entry (`name=a/b`): those need no map of their own. */
type Posting = CacheEntry | SortedMap<CacheEntry>

/** What a dispatch key asks about: `namespace` of `namespace=a`. */
export const familyOf = (dispatchKey: string): string => {
  const end = dispatchKey.indexOf('=')
  return end === -1 ? dispatchKey : dispatchKey.slice(0, end)
}

/** Entries by dispatch key, for the families of keys that somebody has listed. */
export class Postings {
  readonly #families = new Map<string, Map<string, Posting>>()

  get empty(): boolean {
    return this.#families.size === 0
  }

  has(family: string): boolean {
    return this.#families.has(family)
  }

  /** Begins to keep a family, from what exists. */
  build(family: string, entries: Iterable<CacheEntry>, keysOf: (entry: CacheEntry) => readonly string[]): void {
    this.#families.set(family, new Map())
    for (const entry of entries) {
      for (const key of keysOf(entry)) if (familyOf(key) === family) this.add(key, entry)
    }
  }

  clear(): void {
    this.#families.clear()
  }

  add(dispatchKey: string, entry: CacheEntry): void {
    const postings = this.#families.get(familyOf(dispatchKey))
    if (postings === undefined) return
    const posting = postings.get(dispatchKey)
    if (posting === undefined || (!(posting instanceof SortedMap) && posting.key === entry.key)) postings.set(dispatchKey, entry)
    else if (posting instanceof SortedMap) posting.set(entry)
    else {
      const several = new SortedMap<CacheEntry>()
      several.set(posting)
      several.set(entry)
      postings.set(dispatchKey, several)
    }
  }

  remove(dispatchKey: string, entry: CacheEntry): void {
    const postings = this.#families.get(familyOf(dispatchKey))
    const posting = postings?.get(dispatchKey)
    if (postings === undefined || posting === undefined) return
    if (posting instanceof SortedMap) posting.delete(entry.key)
    if (posting instanceof SortedMap ? posting.size === 0 : posting.key === entry.key) postings.delete(dispatchKey)
  }

  list(dispatchKey: string): readonly CacheEntry[] {
    const posting = this.#families.get(familyOf(dispatchKey))?.get(dispatchKey)
    if (posting === undefined) return []
    return posting instanceof SortedMap ? posting.list('') : [posting]
  }
}
