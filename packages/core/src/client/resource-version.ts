import { ApiError } from '../errors/api-error.ts'
import { metaRoot } from '../resources/storage-key.ts'
import type { Store } from '../store/store.ts'
import { StoreError } from '../store/store-error.ts'

/** Where the base of resource versions is kept; restoring and migrating raise it. */
export const versionBaseKey = `${metaRoot}resource-version-base`

/** Between the resource versions that clients see and the revisions of the store: a base that only ever rises. */
export interface VersionScale {
  readonly base: number
  /** What stands in `metadata.resourceVersion` for a revision. */
  format(revision: number): string
  /** The revision of a version that a client gave; may be negative for versions from before the base was raised. Throws 400. */
  parse(resourceVersion: string): number
}

export function versionScale(base: number): VersionScale {
  return {
    base,
    format: (revision) => String(base + revision),
    parse: (resourceVersion) => {
      const value = Number(resourceVersion)
      if (!/^[0-9]{1,16}$/.test(resourceVersion) || !Number.isSafeInteger(value)) {
        throw new ApiError(
          'BadRequest',
          `Invalid value: ${JSON.stringify(resourceVersion)}: resourceVersion is no version that this server gave out`,
        )
      }
      return value - base
    },
  }
}

/** Reads the base; a store without one begins at 0. */
export async function readVersionBase(store: Store): Promise<number> {
  const { entry } = await store.get(versionBaseKey)
  if (entry === undefined) return 0
  return parseVersionBase(entry.value)
}

/** What is stored under {@link versionBaseKey}. Throws `STORE_FORMAT` when it is no base. */
export function parseVersionBase(value: Uint8Array): number {
  const text = Buffer.from(value).toString()
  const base = Number(text)
  if (!Number.isSafeInteger(base) || base < 0) {
    throw new StoreError(
      'STORE_FORMAT',
      `the base of resource versions reads ${JSON.stringify(text.slice(0, 40))}, which is no whole number`,
    )
  }
  return base
}

/**
 * Raises the base to at least `base`, before a restored or migrated store is served: no resource version is then given out twice.
 * Does nothing when it is that high already.
 */
export async function raiseVersionBase(store: Store, base: number): Promise<void> {
  for (;;) {
    const { entry } = await store.get(versionBaseKey)
    const current = entry === undefined ? 0 : Number(Buffer.from(entry.value).toString())
    if (current >= base) return
    const result = await store.commit({
      conditions: [{ key: versionBaseKey, modRevision: entry?.modRevision ?? 0 }],
      writes: [{ type: 'put', key: versionBaseKey, value: Buffer.from(String(base)) }],
    })
    if (result.committed) return
  }
}
