import { objectMetaSchema } from './object-meta-schema.ts'
import type { Schema } from './schema.ts'

/** The schema of a property or map value, or undefined when the schema says nothing about that key. */
export function propertySchema(schema: Schema, key: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

/** Accepts integers and strings alike. */
export const isIntOrString = (schema: Schema): boolean => schema['x-kubernetes-int-or-string'] === true || schema.format === 'int-or-string'

/** A resource quantity: a string to clients, which may also write it as a number. */
export const isQuantity = (schema: Schema): boolean =>
  schema.format === 'quantity' || schema.definition?.endsWith('.api.resource.Quantity') === true

/** Says nothing at all about its value: any JSON goes. */
export const isArbitrary = (schema: Schema): boolean =>
  schema.type === undefined && schema.properties === undefined && schema.additionalProperties === undefined && schema.items === undefined

/** Whether null is no value of this schema. Where nothing is said about the type, null is a value like any other. */
export const refusesNull = (schema: Schema): boolean =>
  schema.nullable !== true && (schema.type !== undefined || isIntOrString(schema) || isQuantity(schema))

/** Whether keys that the schema does not name are kept. */
export const keepsUnknown = (schema: Schema): boolean =>
  schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true || isArbitrary(schema)

const text: Schema = { type: 'string' }

/**
 * The schema of `apiVersion`, `kind` and `metadata` of a whole object (the root, or an embedded resource),
 * which every object has whether its schema names them or not.
 */
export function objectRootProperty(schema: Schema, key: string): Schema | undefined {
  const own = propertySchema(schema, key)
  switch (key) {
    case 'apiVersion':
    case 'kind':
      return own ?? text
    case 'metadata':
      // A custom resource may constrain name and generateName alone; the rest of metadata is there all the same.
      return own?.properties !== undefined && Object.hasOwn(own.properties, 'labels') ? own : objectMetaSchema
    default:
      return own
  }
}
