import { ContinuoError } from '../errors/continuo-error.ts'
import {
  formatApiVersion,
  formatGroupResource,
  type GroupResource,
  type GroupVersionKind,
  type GroupVersionResource,
} from '../objects/names.ts'
import type { Schema } from '../schema/schema.ts'
import type { Registry, RegistryChange, ServedResource } from './registry.ts'
import type { ResourceDefinition, VersionDefinition } from './resource.ts'

interface Registered {
  readonly owner: string
  readonly definition: ResourceDefinition
  readonly served: readonly ServedResource[]
}

const resourceId = (resource: GroupResource): string => `${resource.group}/${resource.resource}`
const gvrId = (gvr: GroupVersionResource): string => `${gvr.group}/${gvr.version}/${gvr.resource}`
const gvkId = (gvk: GroupVersionKind): string => `${gvk.group}/${gvk.version}/${gvk.kind}`

class Served implements ServedResource {
  readonly definition: ResourceDefinition
  readonly version: VersionDefinition
  readonly gvr: GroupVersionResource
  readonly gvk: GroupVersionKind
  readonly apiVersion: string
  #schema: Schema | undefined

  constructor(definition: ResourceDefinition, version: VersionDefinition, group: string) {
    this.definition = definition
    this.version = version
    this.gvr = { group, version: version.name, resource: definition.plural }
    this.gvk = { group, version: version.name, kind: definition.kind }
    this.apiVersion = formatApiVersion(this.gvr)
  }

  get schema(): Schema {
    const { schema } = this.version
    this.#schema ??= typeof schema === 'function' ? schema() : schema
    return this.#schema
  }
}

const servedOf = (definition: ResourceDefinition): readonly ServedResource[] =>
  [{ group: definition.group, versions: definition.versions }, ...(definition.aliases ?? [])].flatMap(({ group, versions }) =>
    versions.filter((version) => version.served !== false).map((version) => new Served(definition, version, group)),
  )

/** The names that a definition takes within one group: two resources of a group may share none of them. */
const namesOf = (definition: ResourceDefinition): readonly string[] => [
  definition.plural,
  definition.singular ?? definition.kind.toLowerCase(),
  ...(definition.shortNames ?? []),
]

/** The live table of resources; see {@link Registry}. Lookups are by maps; the tables are rebuilt on every change. */
export class LiveRegistry implements Registry {
  readonly #registered = new Map<string, Registered>()
  readonly #listeners = new Set<(change: RegistryChange) => void>()
  #byResource = new Map<string, ResourceDefinition>()
  #byGvr = new Map<string, ServedResource>()
  #byGvk = new Map<string, ServedResource>()
  #served: readonly ServedResource[] = []
  #generation = 0

  get generation(): number {
    return this.#generation
  }

  add(definition: ResourceDefinition, owner: string): Disposable & { replace(definition: ResourceDefinition): void } {
    const resource: GroupResource = { group: definition.group, resource: definition.plural }
    const id = resourceId(resource)
    this.#refuseConflicts(definition, owner, undefined)
    let current: Registered | undefined = { owner, definition, served: servedOf(definition) }
    this.#registered.set(id, current)
    this.#changed({ type: 'added', resource, definition })
    return {
      replace: (next) => {
        if (current === undefined)
          throw new ContinuoError('RESOURCE_GONE', `resource ${formatGroupResource(resource)} was removed and cannot be replaced`)
        if (next.group !== resource.group || next.plural !== resource.resource) {
          throw new ContinuoError(
            'RESOURCE_CONFLICT',
            `resource ${formatGroupResource(resource)} cannot become ${next.plural}.${next.group}`,
            {
              hint: 'group and plural are the identity of a resource: add another one',
            },
          )
        }
        this.#refuseConflicts(next, owner, id)
        current = { owner, definition: next, served: servedOf(next) }
        this.#registered.set(id, current)
        this.#changed({ type: 'replaced', resource, definition: next })
      },
      [Symbol.dispose]: () => {
        if (current === undefined) return
        const removed = current.definition
        current = undefined
        this.#registered.delete(id)
        this.#changed({ type: 'removed', resource, definition: removed })
      },
    }
  }

  resolve(gvr: GroupVersionResource): ServedResource | undefined {
    return this.#byGvr.get(gvrId(gvr))
  }

  resolveKind(gvk: GroupVersionKind): ServedResource | undefined {
    return this.#byGvk.get(gvkId(gvk))
  }

  get(resource: GroupResource): ResourceDefinition | undefined {
    return this.#byResource.get(resourceId(resource))
  }

  all(): readonly ResourceDefinition[] {
    return [...this.#registered.keys()].sort().map((id) => (this.#registered.get(id) as Registered).definition)
  }

  served(): readonly ServedResource[] {
    return this.#served
  }

  onChange(listener: (change: RegistryChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Groups that a definition stands in share no name with another resource there. */
  #refuseConflicts(definition: ResourceDefinition, owner: string, self: string | undefined): void {
    const groups = [definition.group, ...(definition.aliases ?? []).map((alias) => alias.group)]
    const names = new Set(namesOf(definition))
    for (const [id, other] of this.#registered) {
      if (id === self) continue
      for (const group of [other.definition.group, ...(other.definition.aliases ?? []).map((alias) => alias.group)]) {
        if (!groups.includes(group)) continue
        const taken =
          namesOf(other.definition).find((name) => names.has(name)) ??
          (other.definition.kind === definition.kind ? definition.kind : undefined)
        if (taken === undefined) continue
        throw new ContinuoError(
          'RESOURCE_CONFLICT',
          `${JSON.stringify(taken)} of group ${JSON.stringify(group)}, wanted by ${owner}, belongs to resource ${other.definition.plural} of ${other.owner}`,
          { hint: 'give one of the two another plural, singular, short name or kind' },
        )
      }
    }
  }

  #changed(change: RegistryChange): void {
    this.#rebuild()
    this.#generation++
    for (const listener of [...this.#listeners]) listener(change)
  }

  #rebuild(): void {
    this.#byResource = new Map()
    this.#byGvr = new Map()
    this.#byGvk = new Map()
    const served: ServedResource[] = []
    for (const id of [...this.#registered.keys()].sort()) {
      const { definition, served: own } = this.#registered.get(id) as Registered
      for (const group of [definition.group, ...(definition.aliases ?? []).map((alias) => alias.group)]) {
        this.#byResource.set(resourceId({ group, resource: definition.plural }), definition)
      }
      for (const one of own) {
        served.push(one)
        this.#byGvr.set(gvrId(one.gvr), one)
        this.#byGvk.set(gvkId(one.gvk), one)
      }
    }
    this.#served = served
  }
}

/** An empty registry. */
export const createRegistry = (): Registry => new LiveRegistry()
