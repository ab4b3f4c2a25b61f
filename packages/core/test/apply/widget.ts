import { type ApplyConfigurationOptions, applyConfiguration, updateManagedFields } from '../../src/apply/index.ts'
import type { KubeObject, UnstructuredObject } from '../../src/objects/object.ts'
import type { Schema } from '../../src/schema/index.ts'

const text: Schema = { type: 'string' }

/** A hand-written kind that has every shape ownership knows. */
export const widgetSchema: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        replicas: { type: 'integer' },
        mode: text,
        selector: { type: 'object', additionalProperties: text },
        frozen: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: text },
        args: { type: 'array', items: text },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
        workers: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            properties: {
              name: text,
              cmd: text,
              cpu: { type: 'integer' },
              ports: {
                type: 'array',
                'x-kubernetes-list-type': 'map',
                'x-kubernetes-list-map-keys': ['port', 'protocol'],
                items: {
                  type: 'object',
                  properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' }, title: text },
                },
              },
            },
          },
        },
        limits: { type: 'object', properties: { low: { type: 'integer' }, high: { type: 'integer' } } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: { type: 'object', properties: { ready: { type: 'boolean' }, count: { type: 'integer' } } },
  },
}

export const now = '2026-01-01T00:00:00Z'
export const later = '2026-01-02T00:00:00Z'

/** A configuration of the widget `a`. */
export const widget = (spec?: object, metadata: object = {}): UnstructuredObject =>
  ({
    apiVersion: 'demo.io/v1',
    kind: 'Widget',
    metadata: { name: 'a', ...metadata },
    ...(spec === undefined ? {} : { spec }),
  }) as UnstructuredObject

export const apply = (
  live: KubeObject | undefined,
  manager: string,
  config: KubeObject,
  options: Partial<ApplyConfigurationOptions> = {},
): UnstructuredObject =>
  applyConfiguration({ schema: widgetSchema, live, config, manager, apiVersion: 'demo.io/v1', now, ...options }) as UnstructuredObject

/** The object after a create or an update by a manager. */
export function write(
  live: KubeObject | undefined,
  manager: string,
  next: KubeObject,
  time = now,
  subresource?: string,
): UnstructuredObject {
  const managedFields = updateManagedFields({
    schema: widgetSchema,
    old: live,
    next,
    manager,
    apiVersion: 'demo.io/v1',
    now: time,
    subresource,
  })
  return { ...next, metadata: { ...next.metadata, managedFields } } as UnstructuredObject
}

// biome-ignore lint/suspicious/noExplicitAny: a draft of any kind, changed freely by tests
export const edit = (object: KubeObject, change: (draft: any) => void): UnstructuredObject => {
  const draft = structuredClone(object) as UnstructuredObject
  change(draft)
  return draft
}

export const entryOf = (object: KubeObject, manager: string) => object.metadata.managedFields?.find((entry) => entry.manager === manager)
export const fieldsOf = (object: KubeObject, manager: string) => entryOf(object, manager)?.fieldsV1
