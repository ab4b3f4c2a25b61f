import { defineResource, type KubeObject, kind, type ResourceDefinition, type UnstructuredObject } from '@continuo/core'

/** The kind that the client suite works with: spec and status apart, a scale, a list merged by key, a selectable field. */
export interface Gauge extends KubeObject {
  spec?: { size?: number; owner?: string; parts?: { name: string; count?: number }[]; tags?: Record<string, string> }
  status?: { phase?: string; size?: number }
}

export const Gauge = kind<Gauge>({ group: 'suite.continuo.dev', version: 'v1', kind: 'Gauge', resource: 'gauges', namespaced: true })

const specOf = (object: { readonly [field: string]: unknown }): NonNullable<Gauge['spec']> =>
  (object.spec ?? {}) as NonNullable<Gauge['spec']>

/** The definition of {@link Gauge}: the server behind the client under test must serve it. */
export const gaugeResource: ResourceDefinition = defineResource({
  group: 'suite.continuo.dev',
  plural: 'gauges',
  kind: 'Gauge',
  namespaced: true,
  storageVersion: 'v1',
  versions: [
    {
      name: 'v1',
      schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: {
              size: { type: 'integer', minimum: 0, default: 1 },
              owner: { type: 'string' },
              tags: { type: 'object', additionalProperties: { type: 'string' } },
              parts: {
                type: 'array',
                'x-kubernetes-list-type': 'map',
                'x-kubernetes-list-map-keys': ['name'],
                'x-kubernetes-patch-strategy': 'merge',
                'x-kubernetes-patch-merge-key': 'name',
                items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, count: { type: 'integer' } } },
              },
            },
          },
          status: { type: 'object', properties: { phase: { type: 'string' }, size: { type: 'integer' } } },
        },
      },
      subresources: [
        {
          type: 'object',
          name: 'status',
          kind: { group: 'suite.continuo.dev', version: 'v1', kind: 'Gauge' },
          verbs: ['get', 'update', 'patch'],
          write: (parent, body) => ({ ...parent, status: body.status }),
        },
        {
          type: 'object',
          name: 'scale',
          kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'update', 'patch'],
          schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { replicas: { type: 'integer' } } },
              status: { type: 'object', properties: { replicas: { type: 'integer' } } },
            },
          },
          read: ({ metadata, ...parent }): UnstructuredObject => ({
            apiVersion: 'autoscaling/v1',
            kind: 'Scale',
            metadata: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid, resourceVersion: metadata.resourceVersion },
            spec: { replicas: specOf(parent).size ?? 0 },
            status: { replicas: (parent.status as Gauge['status'])?.size ?? 0 },
          }),
          write: (parent, body) => ({ ...parent, spec: { ...specOf(parent), size: (body.spec as { replicas: number }).replicas } }),
        },
      ],
      selectableFields: { 'spec.owner': (object) => specOf(object).owner ?? '' },
    },
  ],
})
