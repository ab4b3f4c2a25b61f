import type { CacheEntry } from '../cache/watch-cache.ts'
import { collectionPrefix, resourcePrefix } from '../resources/storage-key.ts'
import { expired, notServed } from './api-errors.ts'
import { CacheWatchCursor } from './cache-watch-cursor.ts'
import type { Caller } from './caller.ts'
import { ensureFresh, invalidOptions, refuseMatch } from './freshness.ts'
import type { ObjectRef, WatchCursor } from './object-service.ts'
import type { WatchOptions } from './options.ts'
import { compileSelection } from './selection.ts'
import type { ServiceParts } from './service-parts.ts'
import { openTarget } from './target.ts'

/** Where a watch begins. */
interface Start {
  /** Events after this revision. */
  readonly after: number
  /** Objects that are there already and come first, as ADDED. */
  readonly initial: readonly CacheEntry[]
  /** A bookmark says when the initial objects are through. */
  readonly marksInitialEnd: boolean
}

export async function watchObjects(
  parts: ServiceParts,
  collection: Omit<ObjectRef, 'name'>,
  options: WatchOptions,
  caller: Caller,
): Promise<WatchCursor> {
  const target = await openTarget(parts, 'watch', collection, caller)
  checkWatchOptions(options)
  const selection = compileSelection(target.served, { ...options, namespace: collection.namespace || options.namespace || '' })
  const { definition } = target.served
  const prefix = collectionPrefix(definition, selection.namespace)
  const { resourceVersion, sendInitialEvents } = options
  const anyState = resourceVersion === undefined || resourceVersion === '' || resourceVersion === '0'
  await ensureFresh(parts, resourceVersion)
  // From here to the cursor nothing waits, so that no event falls between the initial state and the events after it.
  if (parts.registry.resolve(collection) !== target.served) throw notServed()
  const start = ((): Start => {
    const withState = sendInitialEvents ?? anyState
    if (!withState)
      return {
        after: anyState ? parts.cache.revision : parts.views.scale.parse(resourceVersion as string),
        initial: [],
        marksInitialEnd: false,
      }
    return { after: parts.cache.revision, initial: parts.cache.list(prefix).entries, marksInitialEnd: sendInitialEvents === true }
  })()
  if (start.after < parts.cache.oldestRevision) {
    throw expired(
      `too old resource version: ${parts.views.scale.base + start.after} (${parts.views.scale.base + parts.cache.oldestRevision})`,
    )
  }
  const cursor = parts.cache.watch(resourcePrefix(definition), {
    after: start.after,
    ...(selection.dispatchKey === undefined ? {} : { dispatchKey: selection.dispatchKey }),
  })
  return new CacheWatchCursor(parts, {
    target,
    selection,
    prefix,
    cursor,
    initial: start.initial,
    startRevision: start.after,
    marksInitialEnd: start.marksInitialEnd,
    bookmarks: options.allowWatchBookmarks === true,
    timeoutMs: options.timeoutSeconds === undefined || options.timeoutSeconds <= 0 ? undefined : options.timeoutSeconds * 1000,
  })
}

function checkWatchOptions({ sendInitialEvents, resourceVersionMatch, resourceVersion }: WatchOptions): void {
  if (sendInitialEvents === undefined) {
    if (resourceVersionMatch !== undefined)
      throw refuseMatch('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
    return
  }
  if (resourceVersionMatch !== 'NotOlderThan') throw refuseMatch('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  if (resourceVersion !== undefined && resourceVersion !== '' && !/^[0-9]+$/.test(resourceVersion)) {
    throw invalidOptions('resourceVersion', 'FieldValueInvalid', `Invalid value: ${JSON.stringify(resourceVersion)}: must be a number`)
  }
}
