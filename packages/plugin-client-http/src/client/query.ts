import type { ApplyOptions, DeleteOptions, GetOptions, ListOptions, SelectOptions, WatchOptions, WriteOptions } from '@continuo/core'

type Value = string | number | boolean | undefined

/** Leaves out what is unset or empty, as the API reads both alike. */
function encode(fields: Readonly<Record<string, Value>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined && value !== '') query.set(name, String(value))
  return query.toString()
}

const selection = ({ labelSelector, fieldSelector }: SelectOptions) => ({ labelSelector, fieldSelector })

export const getQuery = ({ resourceVersion }: GetOptions): string => encode({ resourceVersion })

export const selectQuery = (options: SelectOptions): string => encode(selection(options))

export const listQuery = (options: ListOptions): string =>
  encode({
    ...selection(options),
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
  })

export const watchQuery = (options: WatchOptions): string =>
  encode({
    watch: true,
    ...selection(options),
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
    allowWatchBookmarks: options.allowWatchBookmarks,
    sendInitialEvents: options.sendInitialEvents,
    timeoutSeconds: (options.timeoutSeconds ?? 0) > 0 ? Math.ceil(options.timeoutSeconds as number) : undefined,
  })

/** Field managers have at most 128 characters; more is cut off, as the local client does. */
export const writeQuery = (options: WriteOptions & Partial<Pick<ApplyOptions, 'force'>>, fieldManager: string | undefined): string =>
  encode({
    dryRun: options.dryRun === true ? 'All' : undefined,
    fieldManager: (options.fieldManager ?? fieldManager)?.slice(0, 128),
    fieldValidation: options.fieldValidation ?? 'Strict',
    force: options.force === true ? true : undefined,
  })

/** The body of a deletion. */
export const deleteBody = (options: DeleteOptions): object => ({
  kind: 'DeleteOptions',
  apiVersion: 'v1',
  ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
  ...(options.propagationPolicy === undefined ? {} : { propagationPolicy: options.propagationPolicy }),
  ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
  ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
})
