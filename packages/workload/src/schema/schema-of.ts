import type { Schema } from '@continuo/core'
import { definitions } from '../generated/definitions.ts'
import { schemaDefaults } from '../tables/schema-defaults.ts'
import { mergeExtensions } from './merge-facts.ts'
import { wellKnown } from './well-known.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

// A cache of pure results: definitions never change while a process runs.
const built = new Map<string, Schema>()

/**
 * The schema of a definition of the built-in API, such as `io.k8s.api.apps.v1.DeploymentSpec`. Built at the first call and shared
 * from then on, sub-schemas included, by reference. Carries no descriptions: see {@link loadDescriptions}.
 * Throws a RangeError for a name that the API does not have: a programming error.
 */
export function schemaOf(definition: string): Schema {
  const ready = built.get(definition) ?? wellKnown[definition]
  if (ready !== undefined) return ready
  const text = definitions[definition]
  if (text === undefined) throw new RangeError(`the generated API has no definition ${definition}`)
  const schema: Writable<Schema> = { definition, type: 'object' }
  // Entered before its properties are read: a definition may contain itself.
  built.set(definition, schema)
  const extensions = mergeExtensions(definition)
  const defaults = schemaDefaults[definition]
  const required: string[] = []
  const properties: Record<string, Schema> = {}
  for (const entry of text === '' ? [] : text.split(';')) {
    const space = entry.indexOf(' ')
    const mark = entry[space - 1] === '!'
    const name = entry.slice(0, mark ? space - 1 : space)
    if (mark) required.push(name)
    const value = readType(entry.slice(space + 1), definition)
    const extra = extensions.get(name)
    const preset = defaults?.[name]
    properties[name] =
      extra === undefined && preset === undefined ? value : { ...value, ...extra, ...(preset === undefined ? {} : { default: preset }) }
  }
  if (text !== '') schema.properties = properties
  if (required.length > 0) schema.required = required
  return Object.assign(schema, extensions.get('.'))
}

/** True when {@link schemaOf} knows the name. */
export const hasDefinition = (definition: string): boolean => definition in definitions || definition in wellKnown

/** Names of all definitions of the generated API. */
export const definitionNames = (): readonly string[] => Object.keys(definitions)

const primitives: Readonly<Record<string, Schema>> = {
  s: { type: 'string' },
  b: { type: 'boolean' },
  n: { type: 'number' },
  i: { type: 'integer', format: 'int32' },
  l: { type: 'integer', format: 'int64' },
  d: { type: 'number', format: 'double' },
  y: { type: 'string', format: 'byte' },
  t: { type: 'string', format: 'date-time' },
  u: { 'x-kubernetes-preserve-unknown-fields': true },
}

/** Reads the notation that `scripts/generate/emit-tables.ts` writes. */
function readType(code: string, owner: string): Schema {
  switch (code[0]) {
    case '[':
      return { type: 'array', items: readType(code.slice(1), owner) }
    case '{':
      return { type: 'object', additionalProperties: readType(code.slice(1), owner) }
    case '(':
      return { type: 'string', enum: code.slice(1, -1).split('|') }
    case '@':
      return schemaOf(code[1] === '.' ? `${owner.slice(0, owner.lastIndexOf('.'))}${code.slice(1)}` : code.slice(1))
    default:
      return primitives[code] as Schema
  }
}

/** The description of a definition, and those of its properties. */
export type Description = readonly [definition: string, properties: Readonly<Record<string, string>>]

/** Descriptions of all definitions: half a megabyte that only OpenAPI documents need, so it is loaded when first asked for. */
export const loadDescriptions = async (): Promise<Readonly<Record<string, Description>>> =>
  (await import('../generated/descriptions.ts')).descriptions
