import { isRecord, setOwn } from '../schema/json-value.ts'
import type { Schema } from '../schema/schema.ts'
import { emptyFields, type FieldSet, isEmptyFields, self } from './field-set.ts'
import { fieldSchema, fieldShape, isNamedField, listElement } from './field-shape.ts'
import { fieldElement } from './path-element.ts'

/** Marks every named field on the way to a member as a member: when its content goes, so does the field. Metadata itself stays. */
export function withNamedParents(schema: Schema | undefined, set: FieldSet, root = true): FieldSet {
  const marked: Record<string, FieldSet> = {}
  for (const element of Object.keys(set)) {
    const tree = set[element] as FieldSet
    if (element === self || isEmptyFields(tree)) {
      marked[element] = tree
      continue
    }
    const name = element.startsWith('f:') ? element.slice(2) : undefined
    const below = withNamedParents(name === undefined ? schema?.items : fieldSchema(schema, name, root), tree, false)
    const isNamed = name !== undefined && isNamedField(schema, name) && !(root && name === 'metadata')
    marked[element] = isNamed && below[self] === undefined ? { [self]: emptyFields, ...below } : below
  }
  return marked
}

const names = (tree: FieldSet): boolean => tree[self] !== undefined || isEmptyFields(tree)

function removeValue(schema: Schema | undefined, value: unknown, set: FieldSet, root: boolean): unknown {
  const shape = fieldShape(schema, value)
  if (shape === 'map' && isRecord(value)) {
    let copy: Record<string, unknown> | undefined
    for (const key of Object.keys(value)) {
      const tree = set[fieldElement(key)]
      if (tree === undefined) continue
      const left = names(tree) ? undefined : removeValue(fieldSchema(schema, key, root), value[key], tree, false)
      if (left === value[key]) continue
      copy ??= { ...value }
      if (left === undefined) delete copy[key]
      else setOwn(copy, key, left)
    }
    return copy ?? value
  }
  if (shape === 'list') {
    let changed = false
    const list: unknown[] = []
    for (const [i, item] of (value as unknown[]).entries()) {
      const tree = set[listElement(schema as Schema, item, i)]
      const left = tree === undefined ? item : names(tree) ? undefined : removeValue(schema?.items, item, tree, false)
      if (left !== item) changed = true
      if (left !== undefined) list.push(left)
    }
    return changed ? list : value
  }
  return value
}

/** The object without the fields and elements of the set, and without what lies below them. Never changes its input. */
export const removeFields = <T extends object>(schema: Schema | undefined, object: T, set: FieldSet): T =>
  isEmptyFields(set) ? object : (removeValue(schema, object, set, true) as T)
