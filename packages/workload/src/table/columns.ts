import type { DeepReadonly, KubeObject, PrinterColumn, TableDefinition } from '@continuo/core'
import { humanDuration } from '@continuo/lib-quantity'

/** One column with the cell that it shows for an object. */
export interface ColumnOf<T> extends PrinterColumn {
  readonly cell: (object: DeepReadonly<T>, now: number) => unknown
}

/** The table of a kind: its columns in order. */
export const table = <T extends KubeObject>(...columns: readonly ColumnOf<T>[]): TableDefinition => ({
  columns: columns.map(({ cell: _, ...column }) => column),
  row: (object, now) => columns.map((column) => column.cell(object as unknown as DeepReadonly<T>, now)),
})

type Cell<T> = ColumnOf<T>['cell']
const column = <T>(type: PrinterColumn['type'], name: string, cell: Cell<T>, priority: number): ColumnOf<T> =>
  priority === 0 ? { name, type, cell } : { name, type, priority, cell }

export const text = <T>(name: string, cell: Cell<T>): ColumnOf<T> => column('string', name, cell, 0)
export const integer = <T>(name: string, cell: Cell<T>): ColumnOf<T> => column('integer', name, cell, 0)
/** Shown by `-o wide` alone. */
export const wide = <T>(name: string, cell: Cell<T>): ColumnOf<T> => column('string', name, cell, 1)

const describe = (text: string) => ({ description: text })

export const nameColumn = <T extends KubeObject>(): ColumnOf<T> => ({
  ...text<T>('Name', (object) => (object as DeepReadonly<KubeObject>).metadata.name),
  format: 'name',
  ...describe('Name must be unique within a namespace.'),
})

export const ageColumn = <T extends KubeObject>(): ColumnOf<T> => ({
  ...text<T>('Age', (object, now) => age((object as DeepReadonly<KubeObject>).metadata.creationTimestamp, now)),
  ...describe('CreationTimestamp is the time at which this object was created, in RFC3339 form in UTC.'),
})

/** What kinds show that have nothing better. */
export const plainTable = <T extends KubeObject>(): TableDefinition => table<T>(nameColumn(), ageColumn())

/** Time since a moment, as kubectl shows it. */
export const age = (since: string | undefined, now: number): string => {
  const moment = since === undefined ? Number.NaN : Date.parse(since)
  return Number.isNaN(moment) ? '<unknown>' : humanDuration(now - moment)
}

export const orNone = (value: string | undefined): string => (value === undefined || value === '' ? '<none>' : value)
