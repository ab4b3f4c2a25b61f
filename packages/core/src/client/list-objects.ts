import type { CacheEntry } from '../cache/watch-cache.ts'
import { hasReason } from '../errors/api-error.ts'
import { collectionPrefix, resourcePrefix } from '../resources/storage-key.ts'
import { compareKeys } from '../store/key-order.ts'
import { isStoreError } from '../store/store-error.ts'
import { ExpiredContinueError, expired, futureVersion } from './api-errors.ts'
import type { Caller } from './caller.ts'
import { type ContinueToken, decodeContinue, encodeContinue } from './continue-token.ts'
import { checkListOptions, ensureFresh } from './freshness.ts'
import type { ObjectRef, ObjectViewList } from './object-service.ts'
import type { ListOptions } from './options.ts'
import { prepareViews } from './prepare-views.ts'
import { isCompacted } from './read-objects.ts'
import { compileSelection, type Selection } from './selection.ts'
import type { ServiceParts } from './service-parts.ts'
import { StoredView, type ViewSource } from './stored-view.ts'
import { openTarget, type Target } from './target.ts'
import { listVirtual } from './virtual-objects.ts'

/** Objects that are decoded in one go before other work may run: about 5 ms. */
const decodeStep = 200

/** Objects that one read of the store fetches while a selector is applied. */
const storePage = 500

interface Page {
  readonly views: StoredView[]
  /** First key that is not on the page, if there are more. */
  readonly next: string | undefined
  readonly remaining: number | undefined
}

interface ListRequest {
  readonly target: Target
  readonly selection: Selection
  readonly prefix: string
  readonly options: ListOptions
}

export async function listObjects(
  parts: ServiceParts,
  collection: Omit<ObjectRef, 'name'>,
  options: ListOptions,
  caller: Caller,
): Promise<ObjectViewList> {
  const target = await openTarget(parts, 'list', collection, caller)
  checkListOptions(options)
  if (target.served.definition.virtual === true) return listVirtual(parts, target, options)
  const selection = compileSelection(target.served, { ...options, namespace: collection.namespace || options.namespace || '' })
  const request: ListRequest = { target, selection, prefix: collectionPrefix(target.served.definition, selection.namespace), options }
  if (options.continue) return continueList(parts, request, decodeContinue(options.continue, request.prefix))
  const { resourceVersion: version, resourceVersionMatch: match, limit } = options
  const exact = match === 'Exact' || (match === undefined && (limit ?? 0) > 0 && version !== undefined && version !== '' && version !== '0')
  if (exact) return listAt(parts, request, parts.views.scale.parse(version as string), request.prefix)
  await ensureFresh(parts, version, options.signal)
  return listCached(parts, request, request.prefix)
}

/** The collection as the cache holds it now; everything that decides what is in the answer is read in one synchronous step. */
async function listCached(parts: ServiceParts, request: ListRequest, startKey: string): Promise<ObjectViewList> {
  const { selection, prefix, options } = request
  const { revision } = parts.cache
  if (selection.everything) {
    const limit = options.limit || undefined
    const { entries, count } = parts.cache.list(prefix, { startKey, ...(limit === undefined ? {} : { limit: limit + 1 }) })
    const shown = limit === undefined ? entries : entries.slice(0, limit)
    const page = { views: toViews(parts, request, shown), next: entries[shown.length]?.key, remaining: count - shown.length }
    return finish(parts, request, page, revision)
  }
  const views = toViews(parts, request, candidates(parts, request, startKey))
  const page = await select(parts, request, views, options.limit || Number.POSITIVE_INFINITY)
  return finish(parts, request, page, revision)
}

/** Every entry that can be chosen, in the order of keys. */
function candidates(parts: ServiceParts, { target, selection, prefix }: ListRequest, startKey: string): readonly CacheEntry[] {
  const { definition } = target.served
  if (selection.name !== undefined && (!definition.namespaced || selection.namespace !== '')) {
    const entry = parts.cache.get(`${prefix}${selection.name}`)
    return entry === undefined || compareKeys(entry.key, startKey) < 0 ? [] : [entry]
  }
  if (selection.fieldKey === undefined) return parts.cache.list(prefix, { startKey }).entries
  return parts.cache
    .byDispatchKey(resourcePrefix(definition), selection.fieldKey)
    .filter(({ key }) => key.startsWith(prefix) && compareKeys(key, startKey) >= 0)
    .sort((a, b) => compareKeys(a.key, b.key))
}

const toViews = (parts: ServiceParts, request: ListRequest, sources: readonly ViewSource[]): StoredView[] =>
  sources.map((source) => new StoredView(parts.views, request.target.form, source))

/** The views that the selection chooses, up to the limit. Lets other work run in between. */
async function select(parts: ServiceParts, request: ListRequest, views: readonly StoredView[], limit: number): Promise<Page> {
  const chosen: StoredView[] = []
  for (let from = 0; from < views.length; from += decodeStep) {
    if (from > 0) await parts.clock.yield()
    request.options.signal?.throwIfAborted()
    const step = views.slice(from, from + decodeStep)
    await prepareViews(step, request.options.signal)
    for (const view of step) {
      if (!request.selection.matches(view)) continue
      if (chosen.length === limit) return { views: chosen, next: view.source.key, remaining: undefined }
      chosen.push(view)
    }
  }
  return { views: chosen, next: undefined, remaining: undefined }
}

async function finish(parts: ServiceParts, request: ListRequest, page: Page, revision: number): Promise<ObjectViewList> {
  await prepareViews(page.views, request.options.signal)
  const more = page.next !== undefined
  // Behind what was shown, not at what comes next: a list that goes on at another version shows what was made in between.
  const startKey = `${page.views.at(-1)?.source.key}\0`
  return {
    items: page.views,
    resourceVersion: parts.views.scale.format(revision),
    ...(more ? { continue: encodeContinue({ revision: parts.views.scale.base + revision, startKey }, request.prefix) } : {}),
    ...(more && page.remaining !== undefined ? { remainingItemCount: page.remaining } : {}),
  }
}

async function continueList(parts: ServiceParts, request: ListRequest, token: ContinueToken): Promise<ObjectViewList> {
  if (token.revision === undefined) {
    await ensureFresh(parts, undefined, request.options.signal)
    return listCached(parts, request, token.startKey)
  }
  try {
    return await listAt(parts, request, token.revision - parts.views.scale.base, token.startKey)
  } catch (error) {
    if (!isCompacted(error) && !hasReason(error, 'Expired')) throw error
    throw new ExpiredContinueError(encodeContinue({ revision: undefined, startKey: token.startKey }, request.prefix))
  }
}

/** The collection as it was at a revision, read from the store. Entries that the cache still holds are shared with it. */
async function listAt(parts: ServiceParts, request: ListRequest, revision: number, startKey: string): Promise<ObjectViewList> {
  const { options, prefix, selection } = request
  const limit = options.limit || Number.POSITIVE_INFINITY
  const views: StoredView[] = []
  let from = startKey
  for (;;) {
    const wanted = selection.everything ? limit - views.length + 1 : storePage
    const read = await readStore(parts, request, revision, from, Math.min(wanted, storePage))
    const shared = read.entries.map((entry) => {
      const cached = parts.cache.get(entry.key)
      return cached !== undefined && cached.modRevision === entry.modRevision ? cached : { ...entry, attached: undefined }
    })
    const page = await select(parts, request, toViews(parts, request, shared), limit - views.length)
    views.push(...page.views)
    const last = shared.at(-1)
    const exhausted = last === undefined || read.count <= read.entries.length
    if (page.next !== undefined || exhausted) {
      const remaining = selection.everything && page.next !== undefined ? read.count - page.views.length : undefined
      return finish(parts, request, { views, next: page.next, remaining }, revision)
    }
    // Keys hold no NUL, so this is the first key that may follow.
    from = `${last.key}\0`
    if (!from.startsWith(prefix)) return finish(parts, request, { views, next: undefined, remaining: undefined }, revision)
  }
}

async function readStore(parts: ServiceParts, request: ListRequest, revision: number, startKey: string, limit: number) {
  if (revision < 1) throw expired('The resourceVersion for the provided list is too old.')
  try {
    return await parts.store.list(request.prefix, {
      revision,
      startKey,
      limit,
      ...(request.options.signal ? { signal: request.options.signal } : {}),
    })
  } catch (error) {
    if (isStoreError(error, 'STORE_FUTURE_REVISION'))
      throw futureVersion(parts.views.scale.base + revision, parts.views.scale.base + parts.cache.revision)
    throw error
  }
}
