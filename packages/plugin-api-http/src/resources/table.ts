import {
  ApiError,
  age,
  type DeepReadonly,
  type ObjectView,
  type PrinterColumn,
  type ServedResource,
  type TableDefinition,
  type UnstructuredObject,
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

const tableOf = (served: ServedResource): TableDefinition =>
  served.version.table ?? (served.definition.custom === true ? customTable : defaultTable)

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

/** The metadata of an object as a `PartialObjectMetadata`, made once for each version of the object. */
export const partialJson = (view: ObjectView, version: string): Uint8Array =>
  view.encoded(`partial/${version}`, () =>
    Buffer.from(
      `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${JSON.stringify(view.object.metadata)}}`,
    ),
  )

/** Rows age, so an encoded row holds for one second only. One is kept for each view, whatever its form. */
const rows = new WeakMap<ObjectView, { readonly form: string; readonly second: number; readonly bytes: Uint8Array }>()

const cell = (value: unknown): unknown => (value === undefined ? null : value)

/** One row; shared by everybody who asks for the same form within a second. */
function rowBytes(view: ObjectView, table: TableDefinition, include: IncludeObject, version: string, now: number): Uint8Array {
  const second = Math.floor(now / 1000)
  const form = `${include}/${version}`
  const known = rows.get(view)
  if (known !== undefined && known.second === second && known.form === form) return known.bytes
  const object = view.object as DeepReadonly<UnstructuredObject>
  const cells = Buffer.from(`{"cells":${JSON.stringify(table.row(object, now).map(cell))},"object":`)
  const embedded = include === 'Object' ? view.json : include === 'Metadata' ? partialJson(view, version) : Buffer.from('null')
  const bytes = Buffer.concat([cells, embedded, Buffer.from('}')])
  rows.set(view, { form, second, bytes })
  return bytes
}

export interface TableOptions {
  readonly include: IncludeObject
  /** Version of `meta.k8s.io`. */
  readonly version: string
  readonly now: number
}

const comma = Buffer.from(',')
const end = Buffer.from(']}\n')

/** A Table of objects, in pieces. `metadata` is the list's; without `headers` the columns are left out, as in a watch after its first event. */
export function* tableChunks(
  views: readonly ObjectView[],
  served: ServedResource,
  metadata: object,
  options: TableOptions,
  headers = true,
): Generator<Uint8Array> {
  const table = tableOf(served)
  const columns = headers ? columnsJson(table) : 'null'
  yield Buffer.from(
    `{"kind":"Table","apiVersion":"meta.k8s.io/${options.version}","metadata":${JSON.stringify(metadata)},"columnDefinitions":${columns},"rows":[`,
  )
  for (let i = 0; i < views.length; i++) {
    if (i > 0) yield comma
    yield rowBytes(views[i] as ObjectView, table, options.include, options.version, options.now)
  }
  yield end
}
