import {
  ApiError,
  age,
  type ObjectView,
  type PrinterColumn,
  type ServedResource,
  type Subresource,
  type TableDefinition,
} from '@continuo/core'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

const nameColumn: PrinterColumn = { name: 'Name', type: 'string', format: 'name', description: 'Name must be unique within a namespace.' }

/** For kinds that say nothing about columns, as Kubernetes' default. */
const defaultTable: TableDefinition = {
  columns: [nameColumn, { name: 'Created At', type: 'date', description: 'When the object was created.' }],
  row: (object) => [object.metadata.name, object.metadata.creationTimestamp],
}

const customTable: TableDefinition = {
  columns: [nameColumn, { name: 'Age', type: 'date', description: 'Time since the object was created.' }],
  row: (object, now) => [object.metadata.name, age(object, now)],
}

/** A subresource whose body is of another kind has columns of its own. */
function tableOf(served: ServedResource, subresource?: Subresource): TableDefinition {
  if (subresource?.type === 'action') return customTable
  if (subresource?.type === 'object' && subresource.read !== undefined) return subresource.table ?? customTable
  return served.version.table ?? (served.definition.custom === true ? customTable : defaultTable)
}

export function readIncludeObject(query: URLSearchParams | undefined): IncludeObject {
  const text = query?.get('includeObject') ?? ''
  if (text === '') return 'Metadata'
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text
  throw new ApiError('BadRequest', `includeObject is ${JSON.stringify(text.slice(0, 40))}: it must be one of None, Metadata, Object`)
}

const columnsJson = (table: TableDefinition): string =>
  JSON.stringify(
    table.columns.map((column) => ({
      name: column.name,
      type: column.type,
      format: column.format ?? '',
      description: column.description ?? '',
      priority: column.priority ?? 0,
    })),
  )

/** The metadata of an object as a `PartialObjectMetadata`. */
export const partialJson = (view: ObjectView, version: string): Uint8Array =>
  Buffer.from(`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(view.object.metadata)}}`)

const cell = (value: unknown): unknown => (value === undefined ? null : value)
const nothing = Buffer.from('null')

function rowBytes(view: ObjectView, table: TableDefinition, { include, version, now }: TableOptions): Uint8Array {
  const cells = Buffer.from(`{"cells":${JSON.stringify(table.row(view.object, now).map(cell))},"object":`)
  const embedded = include === 'Object' ? view.json : include === 'Metadata' ? partialJson(view, version) : nothing
  return Buffer.concat([cells, embedded, Buffer.from('}')])
}

/** One row for many watchers: encoded once for each second, because rows age. */
const sharedRow = (view: ObjectView, table: TableDefinition, options: TableOptions): Uint8Array =>
  view.encoded(`row/${options.include}/${options.version}/${Math.floor(options.now / 1000)}`, () => rowBytes(view, table, options))

export interface TableOptions {
  readonly include: IncludeObject
  /** Version of `meta.k8s.io`. */
  readonly version: string
  readonly now: number
  /** The objects are bodies of this subresource. */
  readonly subresource?: Subresource | undefined
}

const comma = Buffer.from(',')
const end = Buffer.from(']}')

/** A Table of objects, in pieces. `metadata` is the list's. */
export function* tableChunks(
  views: readonly ObjectView[],
  served: ServedResource,
  metadata: object,
  options: TableOptions,
): Generator<Uint8Array> {
  const table = tableOf(served, options.subresource)
  yield tableHead(options.version, metadata, columnsJson(table))
  for (let i = 0; i < views.length; i++) {
    if (i > 0) yield comma
    yield rowBytes(views[i] as ObjectView, table, options)
  }
  yield end
}

/** A Table for one event of a watch: its row is shared with other watchers, and the columns stand in the first event only. */
export const eventTable = (
  view: ObjectView | undefined,
  served: ServedResource,
  resourceVersion: string,
  options: TableOptions,
  headers: boolean,
): Uint8Array[] => {
  const table = tableOf(served)
  const head = tableHead(options.version, { resourceVersion }, headers ? columnsJson(table) : 'null')
  return view === undefined ? [head, end] : [head, sharedRow(view, table, options), end]
}

const tableHead = (version: string, metadata: object, columns: string): Uint8Array =>
  Buffer.from(
    `{"kind":"Table","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(metadata)},"columnDefinitions":${columns},"rows":[`,
  )
