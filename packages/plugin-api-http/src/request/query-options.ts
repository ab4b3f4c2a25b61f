import {
  ApiError,
  type DeleteOptions,
  fieldError,
  type GetOptions,
  type ListOptions,
  type WatchOptions,
  type WriteOptions,
} from '@continuo/core'

/** The reason that goes with the first words of a cause, as everywhere in the API. */
const reasonOf = (message: string): string =>
  message.startsWith('Forbidden')
    ? 'FieldValueForbidden'
    : message.startsWith('Unsupported')
      ? 'FieldValueNotSupported'
      : 'FieldValueInvalid'

const invalidOptions = (kind: string, field: string, message: string): ApiError =>
  new ApiError('Invalid', `${kind}.meta.k8s.io "" is invalid: ${field}: ${message}`, {
    group: 'meta.k8s.io',
    kind,
    causes: [{ reason: reasonOf(message), field, message }],
  })

/** A switch as Kubernetes reads it: absent is false; anything but `false` and `0` is true, the empty text too. */
export const readFlag = (query: URLSearchParams, name: string): boolean => {
  const value = query.get(name)
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

/** A whole number; absent is undefined. Throws 400. */
export function readInteger(query: URLSearchParams, name: string, min = 0): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  const value = Number(text)
  if (!/^-?\d{1,15}$/.test(text) || value < min)
    throw new ApiError(
      'BadRequest',
      `the query parameter ${name} is ${JSON.stringify(text.slice(0, 100))}: it must be a whole number of at least ${min}`,
    )
  return value
}

const text = (query: URLSearchParams, name: string): string | undefined => {
  const value = query.get(name)
  return value === null || value === '' ? undefined : value
}

const isDryRun = (values: readonly string[], kind: string): boolean => {
  if (values.length === 0) return false
  if (values.some((value) => value !== 'All')) {
    throw invalidOptions(
      kind,
      'dryRun',
      fieldError.notSupported(
        'dryRun',
        values.find((value) => value !== 'All'),
        ['All'],
      ).message,
    )
  }
  return true
}

export const readGetOptions = (query: URLSearchParams | undefined): GetOptions =>
  query === undefined ? {} : { resourceVersion: text(query, 'resourceVersion') }

const readMatch = (query: URLSearchParams): 'NotOlderThan' | 'Exact' | undefined => {
  const match = text(query, 'resourceVersionMatch')
  if (match === undefined || match === 'NotOlderThan' || match === 'Exact') return match
  throw invalidOptions(
    'ListOptions',
    'resourceVersionMatch',
    fieldError.notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']).message,
  )
}

const readSelectors = (query: URLSearchParams): { readonly labelSelector?: string; readonly fieldSelector?: string } => ({
  labelSelector: text(query, 'labelSelector'),
  fieldSelector: text(query, 'fieldSelector'),
})

export function readListOptions(query: URLSearchParams | undefined, signal?: AbortSignal): ListOptions {
  if (query === undefined) return { signal }
  return {
    ...readSelectors(query),
    limit: readInteger(query, 'limit'),
    continue: text(query, 'continue'),
    resourceVersion: text(query, 'resourceVersion'),
    resourceVersionMatch: readMatch(query),
    signal,
  }
}

export function readWatchOptions(query: URLSearchParams, defaultTimeoutSeconds: number): WatchOptions {
  const match = readMatch(query)
  const sendInitialEvents = query.has('sendInitialEvents') ? readFlag(query, 'sendInitialEvents') : undefined
  if (match !== undefined && sendInitialEvents === undefined) {
    throw invalidOptions(
      'ListOptions',
      'resourceVersionMatch',
      'Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    )
  }
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    throw invalidOptions(
      'ListOptions',
      'resourceVersionMatch',
      'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    )
  }
  const timeoutSeconds = readInteger(query, 'timeoutSeconds')
  return {
    ...readSelectors(query),
    resourceVersion: text(query, 'resourceVersion'),
    // Any other was refused above.
    resourceVersionMatch: match === 'NotOlderThan' ? match : undefined,
    allowWatchBookmarks: readFlag(query, 'allowWatchBookmarks'),
    sendInitialEvents,
    timeoutSeconds: timeoutSeconds === undefined || timeoutSeconds === 0 ? defaultTimeoutSeconds : timeoutSeconds,
  }
}

export function readWriteOptions(
  query: URLSearchParams | undefined,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
): WriteOptions {
  if (query === undefined) return { fieldValidation: 'Warn' }
  const fieldManager = text(query, 'fieldManager')
  if (fieldManager !== undefined && (fieldManager.length > 128 || !/^[\P{C}]*$/u.test(fieldManager))) {
    throw invalidOptions(
      kind,
      'fieldManager',
      fieldError.invalid('fieldManager', fieldManager.slice(0, 200), 'should be at most 128 printable characters').message,
    )
  }
  const fieldValidation = text(query, 'fieldValidation') ?? 'Warn'
  if (fieldValidation !== 'Ignore' && fieldValidation !== 'Warn' && fieldValidation !== 'Strict') {
    throw invalidOptions(
      kind,
      'fieldValidation',
      fieldError.notSupported('fieldValidation', fieldValidation, ['Ignore', 'Strict', 'Warn']).message,
    )
  }
  return {
    dryRun: isDryRun(
      query.getAll('dryRun').filter((value) => value !== ''),
      kind,
    ),
    fieldManager,
    fieldValidation,
  }
}

const propagations = ['Orphan', 'Background', 'Foreground'] as const

const propagationOf = (policy: unknown, orphanDependents: unknown): DeleteOptions['propagationPolicy'] => {
  if (policy === undefined || policy === null || policy === '')
    return orphanDependents === undefined || orphanDependents === null ? undefined : orphanDependents === true ? 'Orphan' : 'Background'
  const known = propagations.find((name) => name === policy)
  if (known === undefined) {
    throw invalidOptions(
      'DeleteOptions',
      'propagationPolicy',
      fieldError.notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', '']).message,
    )
  }
  if (orphanDependents !== undefined && orphanDependents !== null) {
    throw invalidOptions(
      'DeleteOptions',
      'propagationPolicy',
      `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
    )
  }
  return known
}

const ofType = <T extends string | number | boolean>(
  value: unknown,
  name: string,
  type: 'string' | 'number' | 'boolean',
): T | undefined => {
  if (value === undefined || value === null) return undefined
  if (typeof value !== type || (type === 'number' && !Number.isSafeInteger(value)))
    throw new ApiError('BadRequest', `DeleteOptions: ${name} must be a ${type}, not ${JSON.stringify(value).slice(0, 100)}`)
  return value as T
}

const record = (value: unknown, name: string): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ApiError('BadRequest', `${name} must be an object, not ${JSON.stringify(value).slice(0, 100)}`)
  return value as Record<string, unknown>
}

/** Options of a deletion: from the body when there is one, else from the query, as Kubernetes does. */
export function readDeleteOptions(query: URLSearchParams | undefined, body: unknown): DeleteOptions {
  if (body === undefined) {
    if (query === undefined) return {}
    const orphan = query.has('orphanDependents') ? readFlag(query, 'orphanDependents') : undefined
    return {
      gracePeriodSeconds: readInteger(query, 'gracePeriodSeconds'),
      propagationPolicy: propagationOf(query.get('propagationPolicy') ?? undefined, orphan),
      dryRun: isDryRun(
        query.getAll('dryRun').filter((value) => value !== ''),
        'DeleteOptions',
      ),
    }
  }
  const options = record(body, 'DeleteOptions')
  if (options.kind !== undefined && options.kind !== '' && options.kind !== 'DeleteOptions') {
    throw new ApiError('BadRequest', `the body of a deletion must be DeleteOptions, not ${JSON.stringify(options.kind).slice(0, 100)}`)
  }
  const gracePeriodSeconds = ofType<number>(options.gracePeriodSeconds, 'gracePeriodSeconds', 'number')
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds < 0) {
    throw invalidOptions(
      'DeleteOptions',
      'gracePeriodSeconds',
      fieldError.invalid('gracePeriodSeconds', gracePeriodSeconds, 'must be greater than or equal to 0').message,
    )
  }
  const preconditions =
    options.preconditions === undefined || options.preconditions === null
      ? undefined
      : record(options.preconditions, 'DeleteOptions: preconditions')
  const dryRun = options.dryRun ?? (query === undefined ? [] : query.getAll('dryRun').filter((value) => value !== ''))
  if (!Array.isArray(dryRun)) throw new ApiError('BadRequest', 'DeleteOptions: dryRun must be a list')
  return {
    gracePeriodSeconds,
    propagationPolicy: propagationOf(options.propagationPolicy, ofType<boolean>(options.orphanDependents, 'orphanDependents', 'boolean')),
    ...(preconditions === undefined
      ? {}
      : {
          preconditions: {
            uid: ofType<string>(preconditions.uid, 'preconditions.uid', 'string'),
            resourceVersion: ofType<string>(preconditions.resourceVersion, 'preconditions.resourceVersion', 'string'),
          },
        }),
    dryRun: isDryRun(dryRun.map(String), 'DeleteOptions'),
  }
}
