import type { Schema } from '../../schema/schema.ts'
import { conditionsOf, flag, int32, listOf, mapOf, objectSchema, record, text, time } from '../schemas.ts'

const api = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'
const int64: Schema = { type: 'integer', format: 'int64' }
const number: Schema = { type: 'number', format: 'double' }
const anything: Schema = { 'x-kubernetes-preserve-unknown-fields': true }
const atomicTexts = listOf(text, { 'x-kubernetes-list-type': 'atomic' })

/** A schema as a field's value. It contains itself, so its properties are filled in afterwards; walks follow the value and end with it. */
function schemaOfSchemas(): Schema {
  const properties: Record<string, Schema> = {}
  const schema: Schema = { type: 'object', definition: `${api}.JSONSchemaProps`, properties }
  const orSomethingElse: Schema = { properties }
  const several = listOf(schema, { 'x-kubernetes-list-type': 'atomic' })
  const named = mapOf(schema)
  for (const name of ['$schema', '$ref', 'id', 'description', 'type', 'format', 'title', 'pattern']) properties[name] = text
  for (const name of ['exclusiveMaximum', 'exclusiveMinimum', 'uniqueItems', 'nullable']) properties[name] = flag
  for (const name of ['maxLength', 'minLength', 'maxItems', 'minItems', 'maxProperties', 'minProperties']) properties[name] = int64
  for (const name of ['maximum', 'minimum', 'multipleOf']) properties[name] = number
  for (const name of ['allOf', 'anyOf', 'oneOf']) properties[name] = several
  for (const name of ['properties', 'patternProperties', 'definitions']) properties[name] = named
  for (const name of ['items', 'additionalProperties', 'additionalItems']) properties[name] = orSomethingElse
  Object.assign(properties, {
    default: anything,
    example: anything,
    enum: listOf(anything, { 'x-kubernetes-list-type': 'atomic' }),
    required: atomicTexts,
    not: schema,
    dependencies: mapOf(anything),
    externalDocs: record(`${api}.ExternalDocumentation`, { description: text, url: text }),
    'x-kubernetes-preserve-unknown-fields': flag,
    'x-kubernetes-embedded-resource': flag,
    'x-kubernetes-int-or-string': flag,
    'x-kubernetes-list-map-keys': atomicTexts,
    'x-kubernetes-list-type': text,
    'x-kubernetes-map-type': text,
    'x-kubernetes-validations': listOf(
      record(
        `${api}.ValidationRule`,
        { rule: text, message: text, messageExpression: text, reason: text, fieldPath: text, optionalOldSelf: flag },
        ['rule'],
      ),
      {
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['rule'],
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-patch-merge-key': 'rule',
      },
    ),
  })
  return schema
}

const names = record(
  `${api}.CustomResourceDefinitionNames`,
  { plural: text, singular: text, shortNames: atomicTexts, kind: text, listKind: text, categories: atomicTexts },
  ['plural', 'kind'],
)

const column = record(
  `${api}.CustomResourceColumnDefinition`,
  { name: text, type: text, format: text, description: text, priority: int32, jsonPath: text },
  ['name', 'type', 'jsonPath'],
)

const version = record(
  `${api}.CustomResourceDefinitionVersion`,
  {
    name: text,
    served: flag,
    storage: flag,
    deprecated: flag,
    deprecationWarning: text,
    schema: record(`${api}.CustomResourceValidation`, { openAPIV3Schema: schemaOfSchemas() }),
    subresources: record(`${api}.CustomResourceSubresources`, {
      status: { ...record(`${api}.CustomResourceSubresourceStatus`, {}) },
      scale: record(
        `${api}.CustomResourceSubresourceScale`,
        { specReplicasPath: text, statusReplicasPath: text, labelSelectorPath: text },
        ['specReplicasPath', 'statusReplicasPath'],
      ),
    }),
    additionalPrinterColumns: listOf(column, { 'x-kubernetes-list-type': 'atomic' }),
    selectableFields: listOf(record(`${api}.SelectableField`, { jsonPath: text }, ['jsonPath']), { 'x-kubernetes-list-type': 'atomic' }),
  },
  ['name', 'served', 'storage'],
)

const webhook = record(`${api}.WebhookConversion`, {
  clientConfig: record(`${api}.WebhookClientConfig`, {
    url: text,
    caBundle: { type: 'string', format: 'byte' },
    service: record(`${api}.ServiceReference`, { namespace: text, name: text, path: text, port: int32 }, ['namespace', 'name']),
  }),
  conversionReviewVersions: atomicTexts,
})

const condition = record(
  `${api}.CustomResourceDefinitionCondition`,
  { type: text, status: text, reason: text, message: text, lastTransitionTime: time, observedGeneration: int64 },
  ['type', 'status'],
)

export const definitionSchema: Schema = objectSchema(
  `${api}.CustomResourceDefinition`,
  'CustomResourceDefinition represents a resource that should be exposed on the API server. Its name MUST be in the format <.spec.name>.<.spec.group>.',
  {
    spec: record(
      `${api}.CustomResourceDefinitionSpec`,
      {
        group: text,
        names,
        scope: text,
        versions: listOf(version, { 'x-kubernetes-list-type': 'atomic' }),
        conversion: record(`${api}.CustomResourceConversion`, { strategy: text, webhook }, ['strategy']),
        preserveUnknownFields: flag,
      },
      ['group', 'names', 'scope', 'versions'],
    ),
    status: record(`${api}.CustomResourceDefinitionStatus`, {
      conditions: conditionsOf(condition),
      acceptedNames: names,
      storedVersions: atomicTexts,
    }),
  },
  ['spec'],
)
