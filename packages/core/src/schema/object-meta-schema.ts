import type { Schema } from './schema.ts'

const text: Schema = { type: 'string' }
const time: Schema = { type: 'string', format: 'date-time' }
const int64: Schema = { type: 'integer', format: 'int64' }
const textMap: Schema = { type: 'object', additionalProperties: text }

/**
 * The schema of `metadata`, for kinds whose own schema does not spell it out: custom resources and embedded resources.
 * List types, merge keys and formats are those of `meta/v1 ObjectMeta`.
 */
export const objectMetaSchema: Schema = {
  type: 'object',
  definition: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
  properties: {
    name: text,
    generateName: text,
    namespace: text,
    selfLink: text,
    uid: text,
    resourceVersion: text,
    generation: int64,
    creationTimestamp: time,
    deletionTimestamp: time,
    deletionGracePeriodSeconds: int64,
    labels: textMap,
    annotations: textMap,
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'uid',
      items: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        definition: 'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference',
        required: ['apiVersion', 'kind', 'name', 'uid'],
        properties: {
          apiVersion: text,
          kind: text,
          name: text,
          uid: text,
          controller: { type: 'boolean' },
          blockOwnerDeletion: { type: 'boolean' },
        },
      },
    },
    finalizers: { type: 'array', 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge', items: text },
    managedFields: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        definition: 'io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry',
        properties: {
          manager: text,
          operation: text,
          apiVersion: text,
          time,
          fieldsType: text,
          fieldsV1: {
            type: 'object',
            'x-kubernetes-preserve-unknown-fields': true,
            definition: 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
          },
          subresource: text,
        },
      },
    },
  },
}
