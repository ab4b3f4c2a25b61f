import type { CacheEntry, WatchCache } from '../cache/watch-cache.ts'
import type { Clock } from '../clock/clock.ts'
import type { Registry } from '../resources/registry.ts'
import type { ResourceDefinition } from '../resources/resource.ts'
import { objectRoot, resourcePrefix } from '../resources/storage-key.ts'
import { sealedWith } from '../resources/value-envelope.ts'
import type { ValueTransform } from '../resources/value-transform.ts'
import { type RewriteReason, sealReason, storageApiVersion, versionReason } from './rewrite-reason.ts'

/** An object that is to be written anew. */
export interface Outdated {
  /** Absent for an object of a resource that nothing serves now. */
  readonly definition: ResourceDefinition | undefined
  readonly entry: CacheEntry
  readonly reason: RewriteReason
}

export interface ScanResult {
  /** Objects by the id of the key that they lie under; plain ones are not counted. */
  readonly counts: ReadonlyMap<string, number>
  /** Ids of the keys under which new objects would be written. */
  readonly writing: ReadonlySet<string>
  /** The first of those that are to be written anew. */
  readonly outdated: readonly Outdated[]
  /** How many there are in all, by reason. */
  readonly pending: ReadonlyMap<RewriteReason, number>
  /** State of the cache at the beginning. */
  readonly revision: number
}

export interface ScanParts {
  readonly registry: Registry
  readonly cache: WatchCache
  readonly clock: Clock
  readonly transform: ValueTransform | undefined
}

const page = 1_000
/** Of those to be written anew a scan names so many; the next one names others. */
const maxOutdated = 1_000

/**
 * Looks through everything that is stored, in memory, for what a write today would store otherwise. Of a resource that was clean before
 * only what changed since is opened; the envelope of each value is looked at every time.
 */
export class StorageScan {
  readonly #parts: ScanParts
  /** Up to which revision a resource was found in its storage version. A definition that is replaced is another one. */
  readonly #clean = new WeakMap<ResourceDefinition, number>()

  constructor(parts: ScanParts) {
    this.#parts = parts
  }

  async run(signal: AbortSignal): Promise<ScanResult> {
    const { registry, cache, clock, transform } = this.#parts
    const { revision } = cache
    const definitions = new Map(registry.all().map((definition) => [resourcePrefix(definition), definition]))
    const writing = new Set([...definitions.keys()].flatMap((prefix) => transform?.writeKey(prefix) ?? []))
    const counts = new Map<string, number>()
    const pending = new Map<RewriteReason, number>()
    const outdated: Outdated[] = []
    const dirty = new Set<ResourceDefinition | undefined>()
    for (let startKey = objectRoot; !signal.aborted; ) {
      const { entries, count } = cache.list(objectRoot, { startKey, limit: page })
      for (const entry of entries) {
        const definition = definitions.get(prefixOf(entry.key))
        if (transform !== undefined) countKey(counts, sealedWith(entry.value))
        const reason = this.#reasonOf(entry, definition)
        if (reason === undefined) continue
        dirty.add(definition)
        pending.set(reason, (pending.get(reason) ?? 0) + 1)
        if (outdated.length < maxOutdated) outdated.push({ definition, entry, reason })
      }
      const last = entries.at(-1)
      if (last === undefined || count <= entries.length) {
        for (const definition of definitions.values()) if (!dirty.has(definition)) this.#clean.set(definition, revision)
        break
      }
      startKey = `${last.key}\0`
      await clock.yield()
    }
    return { counts, writing, outdated, pending, revision }
  }

  #reasonOf({ key, value, modRevision }: CacheEntry, definition: ResourceDefinition | undefined): RewriteReason | undefined {
    const { transform } = this.#parts
    const reason = transform === undefined ? undefined : sealReason(value, key, transform)
    if (reason !== undefined || definition === undefined || modRevision <= (this.#clean.get(definition) ?? -1)) return reason
    try {
      return versionReason(value, key, storageApiVersion(definition), transform)
    } catch {
      // What does not open is named too: writing it anew will say why it cannot be.
      return 'version'
    }
  }
}

/** `/registry/core/secrets/` of `/registry/core/secrets/default/a`. */
function prefixOf(key: string): string {
  const group = key.indexOf('/', objectRoot.length)
  return key.slice(0, key.indexOf('/', group + 1) + 1)
}

function countKey(counts: Map<string, number>, key: string): void {
  if (key !== '') counts.set(key, (counts.get(key) ?? 0) + 1)
}
