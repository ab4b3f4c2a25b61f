import { type FieldShape, fieldSchema, fieldShape, isRecord, type Schema } from '@continuo/core'

/** Paths at which a configuration would replace a whole list or map of which it may name a part only: `.spec.template.spec.tolerations`. */
export function atomicFields(schema: Schema | undefined, value: unknown, path = '', depth = 0): readonly string[] {
  if (!isRecord(value) && !Array.isArray(value)) return []
  const shape: FieldShape = fieldShape(schema, value)
  // Metadata has maps and lists of its own rules, and what the schema does not know is its own business.
  if (shape === 'leaf') return schema === undefined ? [] : [path]
  if (Array.isArray(value)) return value.flatMap((item, index) => atomicFields(schema?.items, item, `${path}[${index}]`, depth + 1))
  return Object.entries(value).flatMap(([key, item]) =>
    atomicFields(fieldSchema(schema, key, depth === 0), item, `${path}.${key}`, depth + 1),
  )
}
