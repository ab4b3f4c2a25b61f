import { isRecord, jsonEqual } from '../schema/json-value.ts'
import type { Schema } from '../schema/schema.ts'
import { addedFields } from './extract-fields.ts'
import { emptyFields, type FieldSet, unionFields, withField } from './field-set.ts'
import { fieldSchema, fieldShape, indexList, isNamedField, isNeverOwned } from './field-shape.ts'
import { fieldElement } from './path-element.ts'

/** What differs between two states of an object, by path. */
export interface FieldChanges {
  /** Paths that are new or have another value. */
  readonly changed: FieldSet
  /** Paths that are gone; whatever lay below them is gone with them. */
  readonly removed: FieldSet
}

class Comparison {
  changed: FieldSet = emptyFields
  removed: FieldSet = emptyFields
  readonly #path: string[] = []

  descend(element: string, schema: Schema | undefined, old: unknown, next: unknown, isStructField: boolean): void {
    if (old === next) return
    this.#path.push(element)
    if (next === undefined) this.removed = withField(this.removed, this.#path)
    else if (old === undefined) this.changed = unionFields(this.changed, addedFields(schema, next, this.#path, isStructField))
    else this.values(schema, old, next)
    this.#path.pop()
  }

  values(schema: Schema | undefined, old: unknown, next: unknown): void {
    const before = fieldShape(schema, old)
    const after = fieldShape(schema, next)
    const shape = before === after ? before : old === null ? after : next === null ? before : 'mixed'
    if (shape === 'map')
      this.#maps(schema, (old ?? {}) as Record<string, unknown>, (next ?? {}) as Record<string, unknown>, old === null || next === null)
    else if (shape === 'list')
      this.#lists(schema as Schema, (old ?? []) as unknown[], (next ?? []) as unknown[], old === null || next === null)
    else {
      if (jsonEqual(old, next)) return
      this.changed = withField(this.changed, this.#path)
      if (shape === 'mixed') {
        if (before !== 'leaf') this.values(schema, old, before === 'map' ? {} : [])
        if (after !== 'leaf') this.values(schema, after === 'map' ? {} : [], next)
      }
    }
  }

  #maps(schema: Schema | undefined, old: Record<string, unknown>, next: Record<string, unknown>, wasNull: boolean): void {
    const depth = this.#path.length
    const inMetadata = depth === 1 && this.#path[0] === 'f:metadata'
    let empty = true
    for (const key of Object.keys(old)) {
      if (old[key] === undefined) continue
      empty = false
      if (isNeverOwned(depth, inMetadata, key)) continue
      this.descend(
        fieldElement(key),
        fieldSchema(schema, key, depth === 0),
        old[key],
        Object.hasOwn(next, key) ? next[key] : undefined,
        isNamedField(schema, key),
      )
    }
    for (const key of Object.keys(next)) {
      if (next[key] === undefined) continue
      empty = false
      if ((Object.hasOwn(old, key) && old[key] !== undefined) || isNeverOwned(depth, inMetadata, key)) continue
      this.descend(fieldElement(key), fieldSchema(schema, key, depth === 0), undefined, next[key], isNamedField(schema, key))
    }
    if (empty && wasNull) this.changed = withField(this.changed, this.#path)
  }

  #lists(schema: Schema, old: readonly unknown[], next: readonly unknown[], wasNull: boolean): void {
    if (old.length === 0 && next.length === 0) {
      if (wasNull) this.changed = withField(this.changed, this.#path)
      return
    }
    // Elements are identified only when something differs: most lists of most writes do not.
    if (jsonEqual(old, next)) return
    const before = indexList(schema, old)
    const after = indexList(schema, next)
    for (const [element, item] of before.items) {
      if (before.repeated.has(element) && after.repeated.has(element)) {
        const all = (list: readonly unknown[], order: readonly string[]): unknown[] => list.filter((_, i) => order[i] === element)
        if (!jsonEqual(all(old, before.order), all(next, after.order))) this.changed = withField(this.changed, [...this.#path, element])
      } else this.descend(element, schema.items, item, after.items.get(element), false)
    }
    for (const [element, item] of after.items) if (!before.items.has(element)) this.descend(element, schema.items, undefined, item, false)
  }
}

/**
 * Compares two states of an object as ownership sees them. Costs a walk over both; parts that are the same reference cost nothing,
 * and identity fields and what the server alone writes are passed over.
 */
export function compareFields(schema: Schema | undefined, old: unknown, next: unknown): FieldChanges {
  const comparison = new Comparison()
  if (old !== next && isRecord(old) && isRecord(next)) comparison.values(schema, old, next)
  return { changed: comparison.changed, removed: comparison.removed }
}
