import type { Registry, ServedResource } from '../resources/registry.ts'
import type { Schema } from '../schema/schema.ts'
import { RecentChanges } from './watch-change.ts'

/** How stored bytes become views of one served version; made once for each. */
export interface ViewForm {
  readonly served: ServedResource
  readonly apiVersion: string
  /** How stored JSON in this very version begins: the resource version is put in right behind it. */
  readonly prefix: Buffer
  /** The schema to default with on reading: of a custom resource that has defaults. */
  readonly defaults: Schema | undefined
  /** The schema to prune with on reading: of a custom resource whose stored objects may hold what it does not know. */
  readonly pruning: Schema | undefined
  /** True when what is stored is what is shown: nothing is pruned or defaulted on reading. */
  readonly plain: boolean
  /** Changes that watchers of this form share. */
  readonly recent: RecentChanges
}

/** How the JSON of an object begins, as {@link storedJson} writes it. */
export const jsonPrefix = (apiVersion: string, kind: string): string =>
  `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)},"metadata":{`

const hasDefaults = (schema: Schema, depth = 0): boolean =>
  depth < 100 &&
  (schema.default !== undefined ||
    Object.values(schema.properties ?? {}).some((property) => hasDefaults(property, depth + 1)) ||
    (typeof schema.additionalProperties === 'object' && hasDefaults(schema.additionalProperties, depth + 1)) ||
    (schema.items !== undefined && hasDefaults(schema.items, depth + 1)))

export function createForm(served: ServedResource): ViewForm {
  const defaults = served.definition.custom === true && hasDefaults(served.schema) ? served.schema : undefined
  const pruning = served.definition.prunesOnRead === true ? served.schema : undefined
  return {
    served,
    apiVersion: served.apiVersion,
    prefix: Buffer.from(jsonPrefix(served.apiVersion, served.gvk.kind)),
    defaults,
    pruning,
    plain: defaults === undefined && pruning === undefined,
    recent: new RecentChanges(),
  }
}

/** Forms of served resources, remembered for as long as the registry holds the resource. */
export class ViewForms {
  readonly #registry: Registry
  readonly #forms = new WeakMap<ServedResource, ViewForm>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  of(served: ServedResource): ViewForm {
    let form = this.#forms.get(served)
    if (form === undefined) {
      form = createForm(served)
      this.#forms.set(served, form)
    }
    return form
  }

  /** The form in which the resource is stored, or the first served one when the storage version is not served. */
  stored(served: ServedResource): ViewForm {
    const { group, plural, storageVersion } = served.definition
    return this.of(this.#registry.resolve({ group, version: storageVersion, resource: plural }) ?? served)
  }
}
