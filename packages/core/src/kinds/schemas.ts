import { objectMetaSchema } from '../schema/object-meta-schema.ts'
import type { Schema } from '../schema/schema.ts'

/** Building blocks of the system kinds' schemas. */
export const text: Schema = { type: 'string' }
export const flag: Schema = { type: 'boolean' }
export const int32: Schema = { type: 'integer', format: 'int32' }
export const time: Schema = { type: 'string', format: 'date-time', definition: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time' }
export const microTime: Schema = { type: 'string', format: 'date-time', definition: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime' }
export const listOf = (items: Schema, more: Partial<Schema> = {}): Schema => ({ type: 'array', items, ...more })
export const mapOf = (values: Schema): Schema => ({ type: 'object', additionalProperties: values })

export const record = (
  definition: string,
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
  description?: string,
): Schema => ({
  type: 'object',
  definition,
  ...(description === undefined ? {} : { description }),
  properties,
  ...(required.length === 0 ? {} : { required }),
})

/** A whole object's schema: apiVersion, kind and metadata, and its own parts. */
export const objectSchema = (
  definition: string,
  description: string,
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema => record(definition, { apiVersion: text, kind: text, metadata: objectMetaSchema, ...properties }, required, description)

/** `status.conditions`, merged by type. */
export const conditionsOf = (items: Schema): Schema =>
  listOf(items, {
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'type',
  })
