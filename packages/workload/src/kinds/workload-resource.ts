import {
  type DeepReadonly,
  defineResource,
  formatApiVersion,
  type GroupVersionKind,
  type Kind,
  type ObjectSubresource,
  type ResourceDefinition,
  type ResourceStrategy,
  type Schema,
  type Subresource,
  type TableDefinition,
  type UnstructuredObject,
} from '@continuo/core'
import { conform } from '../schema/conform.ts'
import { schemaOf } from '../schema/schema-of.ts'
import { type ResourceFacts, resourceFacts, type SubresourceFacts } from './resource-facts.ts'
import { scaleSubresource } from './scale.ts'
import { statusSubresource } from './status.ts'

/** What a kind adds to the facts of the generated API. */
export interface WorkloadResourceOptions {
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly table?: TableDefinition
  readonly selectableFields?: Readonly<Record<string, (object: DeepReadonly<UnstructuredObject>) => string>>
  readonly strategy?: ResourceStrategy
  /** In place of, or beside, those that follow from the facts: `status`, `scale`, actions and streams. */
  readonly subresources?: readonly Subresource[]
}

/** Kinds of the options that a stream's request carries, by the name of the subresource. */
const connectKinds: Readonly<Record<string, string>> = {
  attach: 'AttachOptions',
  exec: 'ExecOptions',
  portforward: 'PortForwardOptions',
  proxy: 'ProxyOptions',
}

/** The definition of a built-in resource: verbs, scope, schema and subresources from the generated API, the rest from `options`. */
export function workloadResource(handle: Kind, options: WorkloadResourceOptions = {}): ResourceDefinition {
  const facts = resourceFacts(formatApiVersion(handle), handle.resource)
  const own = options.subresources ?? []
  const derived = Object.entries(facts.subresources)
    .filter(([name]) => !own.some((subresource) => subresource.name === name))
    .map(([name, subresource]) => derive(handle, name, subresource))
  return defineResource({
    group: handle.group,
    plural: handle.resource,
    kind: handle.kind,
    namespaced: handle.namespaced,
    verbs: facts.verbs,
    ...(options.shortNames === undefined ? {} : { shortNames: options.shortNames }),
    ...(options.categories === undefined ? {} : { categories: options.categories }),
    strategy: withForm(facts, options.strategy),
    storageVersion: handle.version,
    versions: [
      {
        name: handle.version,
        schema: () => schemaOf(facts.definition),
        subresources: [...own, ...derived].sort((a, b) => (a.name < b.name ? -1 : 1)),
        ...(options.table === undefined ? {} : { table: options.table }),
        ...(options.selectableFields === undefined ? {} : { selectableFields: options.selectableFields }),
      },
    ],
  })
}

function derive(handle: Kind, name: string, facts: SubresourceFacts): Subresource {
  const own: GroupVersionKind = { group: handle.group, version: handle.version, kind: handle.kind }
  if (name === 'status') return statusSubresource(own, facts.verbs as ObjectSubresource['verbs'])
  if (name === 'scale') return scaleSubresource(facts.verbs as ObjectSubresource['verbs'])
  return {
    type: 'connect',
    name,
    kind: { ...own, kind: connectKinds[name] === undefined ? handle.kind : `${handle.kind}${connectKinds[name]}` },
    verbs: facts.verbs,
  }
}

/** Every write is brought into form before the kind's own defaults see it, and begins with the status that Go clients call empty. */
const withForm = ({ definition, subresources }: ResourceFacts, strategy: ResourceStrategy = {}): ResourceStrategy => ({
  ...strategy,
  default(next) {
    conform(next, schemaOf(definition))
    strategy.default?.(next)
  },
  ...(subresources.status === undefined
    ? {}
    : {
        prepareForCreate(next, creator) {
          strategy.prepareForCreate?.(next, creator)
          next.status ??= emptyStatus(schemaOf(definition).properties?.status)
        },
      }),
})

/** A status that nobody has told yet: there, as programs in every language expect, with zero for the counts that are always told. */
function emptyStatus(schema: Schema | undefined): Record<string, unknown> {
  const counts = (schema?.required ?? []).filter((name) => schema?.properties?.[name]?.type === 'integer')
  return Object.fromEntries(counts.map((name) => [name, 0]))
}
