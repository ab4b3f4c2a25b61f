import { isRecord } from '../schema/json-value.ts'
import type { Schema } from '../schema/schema.ts'
import { emptyFields, type FieldSet, isEmptyFields, self, unionFields } from './field-set.ts'
import { fieldSchema, fieldShape, indexList, isNamedField, isNeverOwned } from './field-shape.ts'
import { fieldElement } from './path-element.ts'

type Draft = Record<string, FieldSet>

const isNothing = (value: unknown): boolean =>
  value === null || (Array.isArray(value) ? value.length === 0 : isRecord(value) && isEmptyFields(value as FieldSet))

function put(draft: Draft, element: string, below: FieldSet, member: boolean): void {
  if (isEmptyFields(below)) {
    if (member) draft[element] = emptyFields
  } else draft[element] = member ? { [self]: emptyFields, ...below } : below
}

/**
 * The paths below one value. `added` is the rule for what a write brought into being, where maps and lists themselves count too;
 * otherwise it is that of an applied configuration, which owns leaves, list elements and map keys.
 */
function below(schema: Schema | undefined, value: unknown, added: boolean, depth: number, inMetadata: boolean): FieldSet {
  const shape = fieldShape(schema, value)
  const draft: Draft = {}
  if (shape === 'map')
    for (const key of Object.keys(value as object)) {
      const item = (value as Record<string, unknown>)[key]
      if (item === undefined || isNeverOwned(depth, inMetadata, key)) continue
      const itemSchema = fieldSchema(schema, key, depth === 0)
      const isMetadata = depth === 0 && key === 'metadata'
      const fields = below(itemSchema, item, added, depth + 1, isMetadata)
      put(draft, fieldElement(key), fields, !isMetadata && isFieldMember(schema, key, itemSchema, item, added, fields))
    }
  else if (shape === 'list') {
    const { items } = indexList(schema as Schema, value as unknown[])
    for (const [element, item] of items) put(draft, element, below(schema?.items, item, added, depth + 1, false), true)
  }
  return draft
}

function isFieldMember(
  parent: Schema | undefined,
  key: string,
  schema: Schema | undefined,
  item: unknown,
  added: boolean,
  fields: FieldSet,
): boolean {
  const shape = fieldShape(schema, item)
  if (shape === 'leaf' || isNothing(item)) return true
  if (!added) return !isNamedField(parent, key)
  // A struct stands for its fields, unless it has none: that keeps entries small and lets a struct go with its last field.
  return isEmptyFields(fields) || shape === 'list' || schema?.properties === undefined || !isNamedField(parent, key)
}

/**
 * What an applied configuration owns: scalars, atomic lists and maps, elements of granular lists, keys of maps, nulls, and maps and lists that are empty
 * (structured-merge-diff leaves out empty lists; applying one twice would then alternate). Fields that nobody owns are left out.
 */
export const appliedFields = (schema: Schema | undefined, object: unknown): FieldSet => below(schema, object, false, 0, false)

/** What a write owns that brought the whole object into being. */
export const createdFields = (schema: Schema | undefined, object: unknown): FieldSet => below(schema, object, true, 0, false)

/** What a write owns that added one field or element, including the field itself at `path`. */
export function addedFields(schema: Schema | undefined, value: unknown, path: readonly string[], isStructField: boolean): FieldSet {
  const fields = below(schema, value, true, path.length, path.length === 1 && path[0] === 'f:metadata')
  const member = !(isStructField && schema?.properties !== undefined && fieldShape(schema, value) === 'map' && !isEmptyFields(fields))
  let tree: FieldSet = isEmptyFields(fields) ? emptyFields : member ? { [self]: emptyFields, ...fields } : fields
  for (let i = path.length - 1; i >= 0; i--) tree = { [path[i] as string]: tree }
  return unionFields(emptyFields, tree)
}
