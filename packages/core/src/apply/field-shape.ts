import { canonicalJson, isRecord } from '../schema/json-value.ts'
import type { Schema } from '../schema/schema.ts'
import { objectRootProperty, propertySchema } from '../schema/schema-shape.ts'
import { indexElement, type PathElement, valueElement } from './path-element.ts'

/** How ownership sees a value: as a whole, or by its fields, or by its elements. */
export type FieldShape = 'leaf' | 'map' | 'list'

const scalarTypes = new Set<string | undefined>(['string', 'integer', 'number', 'boolean', 'array'])

/**
 * The shape of a value under a schema. Lists are whole unless their list type is set or map; maps are granular unless atomic.
 * Where the schema says nothing, the value decides: maps are granular, lists are whole.
 */
export function fieldShape(schema: Schema | undefined, value: unknown): FieldShape {
  if (Array.isArray(value)) {
    const type = schema?.['x-kubernetes-list-type']
    return type === 'set' || type === 'map' ? 'list' : 'leaf'
  }
  if (!isRecord(value) || schema?.['x-kubernetes-map-type'] === 'atomic' || scalarTypes.has(schema?.type)) return 'leaf'
  return 'map'
}

/** Whether the schema names the field itself (it is a field of a struct, not a key of a map). */
export const isNamedField = (schema: Schema | undefined, key: string): boolean =>
  schema?.properties !== undefined && Object.hasOwn(schema.properties, key)

/** The schema of a field. `root` is true for the whole object, whose metadata is known even if its schema does not say so. */
export const fieldSchema = (schema: Schema | undefined, key: string, root = false): Schema | undefined =>
  schema === undefined
    ? undefined
    : root || schema['x-kubernetes-embedded-resource'] === true
      ? objectRootProperty(schema, key)
      : propertySchema(schema, key)

/**
 * The identity of a list's element: its value in a set, its keys in a list of type map, with the keys' defaults.
 * Elements without any of their keys go by index.
 */
export function listElement(schema: Schema, item: unknown, index: number): PathElement {
  if (schema['x-kubernetes-list-type'] === 'set') return valueElement(item)
  if (!isRecord(item)) return indexElement(index)
  const names = schema['x-kubernetes-list-map-keys'] ?? []
  let text = ''
  let found = false
  // Written by hand rather than as an object to be stringified: this runs for every element of every write.
  for (const key of names.length > 1 ? [...names].sort() : names) {
    let value = Object.hasOwn(item, key) ? item[key] : undefined
    if (value !== undefined && value !== null) found = true
    else value = schema.items?.properties?.[key]?.default
    if (value !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(value)}`
  }
  return found ? `k:{${text}}` : indexElement(index)
}

/** Elements of a list by identity. Of repeated ones the first counts; `repeated` names them. */
export interface IndexedList {
  readonly order: readonly PathElement[]
  readonly items: ReadonlyMap<PathElement, unknown>
  readonly repeated: ReadonlySet<PathElement>
}

/** Elements of a list by identity. */
export function indexList(schema: Schema, list: readonly unknown[]): IndexedList {
  const items = new Map<PathElement, unknown>()
  const repeated = new Set<PathElement>()
  const order: PathElement[] = []
  for (const [i, item] of list.entries()) {
    const element = listElement(schema, item, i)
    order.push(element)
    if (items.has(element)) repeated.add(element)
    else items.set(element, item)
  }
  return { order, items, repeated }
}

const neverOwned = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
  'managedFields',
  'clusterName',
])

/** Fields that nobody owns: the type, the identity, and what the server alone writes. `depth` 0 is the object, 1 its metadata. */
export const isNeverOwned = (depth: number, inMetadata: boolean, key: string): boolean =>
  depth === 0 ? key === 'apiVersion' || key === 'kind' : depth === 1 && inMetadata && neverOwned.has(key)
