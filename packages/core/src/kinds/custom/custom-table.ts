import type { DeepReadonly } from '../../objects/object.ts'
import type { TableDefinition } from '../../resources/resource.ts'
import { since } from '../age.ts'
import type { CustomResourceColumn } from './custom-resource-definition.ts'
import { parseJsonPath } from './json-path.ts'

const ageColumn: CustomResourceColumn = {
  name: 'Age',
  type: 'date',
  description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
  jsonPath: '.metadata.creationTimestamp',
}

/** The table of a custom resource: its name, and the columns that the definition names; its age when it names none. */
export function customTable(columns: DeepReadonly<CustomResourceColumn[]> | undefined): TableDefinition {
  const shown = columns === undefined || columns.length === 0 ? [ageColumn] : columns
  const cells = shown.map((column) => ({ column, path: parseJsonPath(column.jsonPath) }))
  return {
    columns: [
      { name: 'Name', type: 'string', format: 'name', description: 'Name must be unique within a namespace.' },
      ...shown.map(({ name, type, format, description, priority }) => ({
        name,
        type,
        description:
          description ??
          `Custom resource definition column (in JSONPath format): ${shown.find((column) => column.name === name)?.jsonPath}`,
        ...(format === undefined ? {} : { format }),
        ...(priority === undefined ? {} : { priority }),
      })),
    ],
    row: (object, now) => [object.metadata.name, ...cells.map(({ column, path }) => cell(column.type, path.find(object)[0], now))],
  }
}

/** A value as a cell of a column's type; null where it is missing or of another type. */
function cell(type: CustomResourceColumn['type'], value: unknown, now: number): unknown {
  if (value === undefined || value === null) return null
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? since(value, now) : null
    default:
      return typeof value === 'string' ? value : JSON.stringify(value)
  }
}
