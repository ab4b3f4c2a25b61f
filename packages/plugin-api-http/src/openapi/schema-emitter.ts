import { type GroupVersionKind, objectMetaSchema, type Schema } from '@continuo/core'

export type OpenApiVersion = 'v2' | 'v3'

/** Descriptions of a definition and of its properties, which built-in schemas leave out to stay small. */
export type Descriptions = Readonly<Record<string, readonly [definition: string, properties: Readonly<Record<string, string>>]>>

type Json = Record<string, unknown>

/** Keywords that go into the document as they stand in the schema. */
const plainKeys = [
  'type',
  'format',
  'title',
  'description',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'required',
  'example',
  'externalDocs',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-patch-strategy',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-validations',
] as const satisfies readonly (keyof Schema)[]

/** Keywords that belong to the place where a definition is used, not to the definition. */
const placeKeys = new Set<keyof Schema>([
  'default',
  'x-kubernetes-patch-strategy',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
])

const isIntOrString = (schema: Schema): boolean => schema['x-kubernetes-int-or-string'] === true
const isQuantity = (schema: Schema): boolean => schema.definition === 'io.k8s.apimachinery.pkg.api.resource.Quantity'

/** Name of a custom resource's definition: `stable.example.com/v1 CronTab` is `com.example.stable.v1.CronTab`. */
export const definitionNameOf = (gvk: GroupVersionKind): string =>
  [...gvk.group.split('.').reverse(), gvk.version, gvk.kind].filter((part) => part !== '').join('.')

const typeMetaProperties: Json = {
  apiVersion: {
    description: 'Version of the schema of this representation of an object: a group and a version, as apps/v1.',
    type: 'string',
  },
  kind: { description: 'The kind of resource that this object is, in CamelCase. It cannot be changed.', type: 'string' },
}

/** Writes schemas as the definitions of one OpenAPI document. Pure but for the definitions that it collects. */
export class SchemaEmitter {
  readonly definitions: Record<string, Json> = {}
  readonly #version: OpenApiVersion
  readonly #descriptions: Descriptions
  readonly #prefix: string
  /** Unnamed schemas that are being written. */
  readonly #open = new Set<Schema>()

  constructor(version: OpenApiVersion, descriptions: Descriptions) {
    this.#version = version
    this.#descriptions = descriptions
    this.#prefix = version === 'v3' ? '#/components/schemas/' : '#/definitions/'
  }

  reference(name: string): Json {
    return { $ref: `${this.#prefix}${name}` }
  }

  /** Adds the definition of a kind; returns its name. A definition that several kinds share names them all. */
  addKind(schema: Schema, gvk: GroupVersionKind): string {
    const name = schema.definition ?? definitionNameOf(gvk)
    if (this.definitions[name] === undefined) {
      const properties: Record<string, Schema> = { ...schema.properties }
      if (schema.definition === undefined && properties.metadata?.definition === undefined)
        properties.metadata = { ...objectMetaSchema, description: properties.metadata?.description ?? "Standard object's metadata." }
      this.#define(name, schema.properties === undefined && schema.definition !== undefined ? schema : { ...schema, properties })
      const definition: Json = this.definitions[name] ?? {}
      // Decoding fills them in from the URL, so clients may leave them out.
      const required =
        (definition.required as readonly string[] | undefined)?.filter((field) => field !== 'apiVersion' && field !== 'kind') ?? []
      if (required.length > 0) definition.required = required
      else delete definition.required
      if (schema.properties !== undefined || schema.definition === undefined)
        definition.properties = { ...typeMetaProperties, ...(definition.properties as Json) }
    }
    const definition: Json = this.definitions[name] as Json
    const kinds = (definition['x-kubernetes-group-version-kind'] ?? []) as GroupVersionKind[]
    definition['x-kubernetes-group-version-kind'] = kinds
    if (!kinds.some((kind) => kind.group === gvk.group && kind.version === gvk.version && kind.kind === gvk.kind)) kinds.push(gvk)
    return name
  }

  /** Adds the definition of the list of a kind; returns its name. */
  addList(item: string, gvk: GroupVersionKind, listKind: string, listMeta: Schema): string {
    const name = item.slice(0, item.lastIndexOf('.') + 1) + listKind
    this.definitions[name] ??= {
      description: `${listKind} is a list of ${gvk.kind}`,
      type: 'object',
      required: ['items'],
      properties: {
        ...typeMetaProperties,
        items: {
          description: `List of ${gvk.kind}.`,
          type: 'array',
          items: this.#version === 'v3' ? { allOf: [this.reference(item)], default: {} } : this.reference(item),
        },
        metadata: this.emit({ ...listMeta, description: 'Standard list metadata.' }),
      },
      'x-kubernetes-group-version-kind': [{ group: gvk.group, version: gvk.version, kind: listKind }],
    }
    return name
  }

  /** A schema where it is used: a reference to its definition, or itself. */
  emit(schema: Schema, description?: string): Json {
    if (schema.definition === undefined) {
      // A schema without a name may contain itself only by reference; there is no name to point to.
      if (this.#open.has(schema)) return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
      this.#open.add(schema)
      const inline = this.#inline(schema, description)
      this.#open.delete(schema)
      return inline
    }
    this.#define(schema.definition, schema)
    const reference = this.reference(schema.definition)
    const place: Json = {}
    const text = description ?? (schema.description !== this.#descriptions[schema.definition]?.[0] ? schema.description : undefined)
    if (text !== undefined && text !== '') place.description = text
    for (const key of placeKeys) if (schema[key] !== undefined) place[key] = schema[key]
    if (Object.keys(place).length === 0) return reference
    return this.#version === 'v3' ? { ...place, allOf: [reference] } : { ...place, ...reference }
  }

  #define(name: string, schema: Schema): void {
    if (this.definitions[name] !== undefined) return
    // Entered first: a definition may contain itself.
    const definition: Json = {}
    this.definitions[name] = definition
    const described = this.#descriptions[name]
    const bare = { ...schema, definition: schema.definition ?? name }
    for (const key of placeKeys) delete (bare as Record<string, unknown>)[key]
    if (schema.definition !== undefined) delete (bare as Record<string, unknown>).description
    Object.assign(definition, this.#inline(bare, described?.[0] ?? schema.description, described?.[1]))
  }

  #inline(schema: Schema, description: string | undefined, properties?: Readonly<Record<string, string>>): Json {
    const result: Json = {}
    if (isIntOrString(schema)) return this.#intOrString(schema, description)
    if (isQuantity(schema))
      return {
        ...(description === undefined ? {} : { description }),
        ...(this.#version === 'v3' ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' }),
      }
    for (const key of plainKeys) if (schema[key] !== undefined) result[key] = schema[key]
    if (description !== undefined && description !== '') result.description = description
    if (schema.properties !== undefined) {
      result.properties = Object.fromEntries(
        Object.entries(schema.properties).map(([name, property]) => [name, this.emit(property, properties?.[name])]),
      )
    }
    if (schema.additionalProperties !== undefined)
      result.additionalProperties =
        typeof schema.additionalProperties === 'boolean' ? schema.additionalProperties : this.emit(schema.additionalProperties)
    if (schema.items !== undefined) result.items = this.emit(schema.items)
    if (this.#version === 'v3') {
      if (schema.nullable === true) result.nullable = true
      for (const key of ['allOf', 'anyOf', 'oneOf'] as const)
        if (schema[key] !== undefined) result[key] = schema[key].map((one) => this.emit(one))
      if (schema.not !== undefined) result.not = this.emit(schema.not)
    }
    return result
  }

  /** OpenAPI v2 has no alternatives; clients know the format there. */
  #intOrString(schema: Schema, description: string | undefined): Json {
    const described = description ?? schema.description
    const text = described === undefined ? {} : { description: described }
    if (this.#version === 'v2') return { ...text, type: 'string', format: 'int-or-string' }
    return {
      ...text,
      format: 'int-or-string',
      oneOf: [{ type: 'integer' }, { type: 'string' }],
      ...(schema.definition === undefined ? { 'x-kubernetes-int-or-string': true } : {}),
    }
  }
}
