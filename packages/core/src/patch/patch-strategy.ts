import type { Schema } from '../schema/schema.ts'
import { propertySchema } from '../schema/schema-shape.ts'

/** How strategic merge treats one field. */
export interface PatchStrategy {
  readonly schema: Schema | undefined
  /** `merge` joins lists; `replace` takes the patch's value; unset merges maps and replaces lists. */
  readonly strategy: 'merge' | 'replace' | undefined
  /** The key that identifies a map in a list. */
  readonly mergeKey: string | undefined
}

/** What the schema of the parent says about a field. A field that it does not know merges as a map and is replaced as a list. */
export function patchStrategyOf(parent: Schema | undefined, key: string): PatchStrategy {
  const schema = parent === undefined ? undefined : propertySchema(parent, key)
  const strategies = schema?.['x-kubernetes-patch-strategy']?.split(',') ?? []
  return {
    schema,
    strategy: strategies.includes('merge') ? 'merge' : strategies.includes('replace') ? 'replace' : undefined,
    mergeKey: schema?.['x-kubernetes-patch-merge-key'],
  }
}
