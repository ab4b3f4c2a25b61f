import { ApiError } from '../errors/api-error.ts'
import { futureVersion } from './api-errors.ts'
import type { ServiceParts } from './service-parts.ts'

/** Brings the cache as far as a read of this resource version demands: unset to the head, `0` nowhere, N to N or 504 after a short wait. */
export function ensureFresh(parts: ServiceParts, resourceVersion: string | undefined, signal?: AbortSignal): Promise<void> | undefined {
  if (resourceVersion === '0') return undefined
  if (resourceVersion === undefined || resourceVersion === '') return parts.cache.caughtUp(signal)
  return ensureReached(parts, parts.views.scale.parse(resourceVersion), signal)
}

/** Resolves when the cache holds the revision; throws 504 when that takes too long. */
export async function ensureReached(parts: ServiceParts, revision: number, signal?: AbortSignal): Promise<void> {
  const { cache, clock, limits, views } = parts
  if (cache.revision >= revision) return
  // The head may be there already and only the cache behind it.
  await cache.caughtUp(signal)
  if (cache.revision >= revision) return
  const deadline = new AbortController()
  const cancel = clock.after(limits.freshnessWaitMs, () => deadline.abort())
  try {
    await cache.reached(revision, signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]))
  } catch (error) {
    if (!deadline.signal.aborted) throw error
    throw futureVersion(views.scale.base + revision, views.scale.base + cache.revision)
  } finally {
    cancel()
  }
}

/** Refuses combinations of list options that mean nothing. Throws 400 or 422 as Kubernetes does. */
export function checkListOptions(options: {
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
  readonly continue?: string
  readonly limit?: number
}): void {
  const { resourceVersion, resourceVersionMatch: match, limit } = options
  const given = resourceVersion !== undefined && resourceVersion !== ''
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0))
    throw new ApiError('BadRequest', `limit: Invalid value: ${limit}: must be a whole number that is not negative`)
  if (options.continue && given && resourceVersion !== '0')
    throw new ApiError('BadRequest', 'specifying resource version is not allowed when using continue')
  if (match === undefined) return
  if (options.continue) throw refuseMatch('resourceVersionMatch is forbidden when continue is provided')
  if (!given) throw refuseMatch('resourceVersionMatch is forbidden unless resourceVersion is provided')
  if (match !== 'Exact' && match !== 'NotOlderThan')
    throw invalidOptions(
      'resourceVersionMatch',
      'FieldValueNotSupported',
      `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
    )
  if (match === 'Exact' && resourceVersion === '0') throw refuseMatch('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
}

export const refuseMatch = (why: string): ApiError => invalidOptions('resourceVersionMatch', 'FieldValueForbidden', `Forbidden: ${why}`)

/** 422 about the options of a list or watch. */
export const invalidOptions = (field: string, reason: string, message: string): ApiError =>
  new ApiError('Invalid', `ListOptions.meta.k8s.io "" is invalid: ${field}: ${message}`, {
    group: 'meta.k8s.io',
    kind: 'ListOptions',
    causes: [{ reason, message, field }],
  })
