import { mutableCopy } from '../objects/mutable-copy.ts'
import { dnsLabelFaults } from '../objects/name-rules.ts'
import type { Condition, DeepReadonly, KubeObject, UnstructuredObject } from '../objects/object.ts'
import { defineResource, kind, type ObjectSubresource } from '../resources/resource.ts'
import { isRecord } from '../schema/json-value.ts'
import { age } from './age.ts'
import { conditionsOf, listOf, objectSchema, record, text, time } from './schemas.ts'

export interface Namespace extends KubeObject {
  apiVersion: 'v1'
  kind: 'Namespace'
  spec?: { finalizers?: string[] }
  status?: { phase?: 'Active' | 'Terminating'; conditions?: Condition[] }
}

export const Namespace = kind<Namespace>({ group: '', version: 'v1', kind: 'Namespace', resource: 'namespaces', namespaced: false })

/** The finalizer in `spec` by which the namespace controller empties a namespace before it goes. */
export const namespaceFinalizer = 'kubernetes'

const api = 'io.k8s.api.core.v1'
const schema = objectSchema(`${api}.Namespace`, 'Namespace provides a scope for Names. Use of multiple namespaces is optional.', {
  spec: record(`${api}.NamespaceSpec`, { finalizers: listOf(text, { 'x-kubernetes-list-type': 'atomic' }) }),
  status: record(`${api}.NamespaceStatus`, {
    phase: text,
    conditions: conditionsOf(
      record(`${api}.NamespaceCondition`, { type: text, status: text, reason: text, message: text, lastTransitionTime: time }, [
        'type',
        'status',
      ]),
    ),
  }),
})

const part = (object: DeepReadonly<UnstructuredObject>, name: 'spec' | 'status'): Readonly<Record<string, unknown>> => {
  const value = object[name]
  return isRecord(value) ? value : {}
}

const finalizersOf = (object: DeepReadonly<UnstructuredObject>): readonly string[] =>
  (part(object, 'spec').finalizers as readonly string[] | undefined) ?? []

const phaseOf = (object: DeepReadonly<UnstructuredObject>): string => String(part(object, 'status').phase ?? '')

/** Writes the status alone, and what metadata a status update may carry. */
const status: ObjectSubresource = {
  type: 'object',
  name: 'status',
  kind: { group: '', version: 'v1', kind: 'Namespace' },
  verbs: ['get', 'update', 'patch'],
  write: (parent, body) => ({ ...parent, metadata: { ...body.metadata, finalizers: parent.metadata.finalizers }, status: body.status }),
}

/** Writes `spec.finalizers` alone: how the namespace controller lets a namespace go. */
const finalize: ObjectSubresource = {
  type: 'object',
  name: 'finalize',
  kind: { group: '', version: 'v1', kind: 'Namespace' },
  verbs: ['update'],
  write: (parent, body) => ({ ...parent, metadata: { ...body.metadata, finalizers: parent.metadata.finalizers }, spec: body.spec }),
}

/** Every namespace bears its name as this label. */
const nameLabel = 'kubernetes.io/metadata.name'

export const namespaceResource = defineResource({
  group: '',
  plural: 'namespaces',
  kind: 'Namespace',
  shortNames: ['ns'],
  namespaced: false,
  // Namespaces go one by one: a collection of them is never deleted.
  verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  storageVersion: 'v1',
  versions: [
    {
      name: 'v1',
      schema,
      subresources: [status, finalize],
      selectableFields: { 'status.phase': phaseOf },
      table: {
        columns: [
          { name: 'Name', type: 'string', format: 'name', description: 'Name of the namespace, unique within the cluster.' },
          { name: 'Status', type: 'string', description: 'Active, or Terminating while what is in it goes away.' },
          { name: 'Age', type: 'string', description: 'Time since the namespace was created.' },
        ],
        row: (object, now) => [object.metadata.name, phaseOf(object), age(object, now)],
      },
    },
  ],
  strategy: {
    validateName: dnsLabelFaults,
    default(next) {
      if (next.metadata.name) next.metadata.labels = { ...next.metadata.labels, [nameLabel]: next.metadata.name }
    },
    prepareForCreate(next) {
      // generateName gave it a name only now.
      next.metadata.labels = { ...next.metadata.labels, [nameLabel]: next.metadata.name }
      next.status = { phase: 'Active' }
      const finalizers = finalizersOf(next)
      if (!finalizers.includes(namespaceFinalizer)) next.spec = { ...part(next, 'spec'), finalizers: [...finalizers, namespaceFinalizer] }
    },
    prepareForUpdate(next, old) {
      next.spec = old.spec === undefined ? {} : mutableCopy(old.spec)
    },
    changesGeneration: () => false,
    holdsDeletion: (object) => finalizersOf(object).length > 0,
    prepareForDelete(next) {
      next.status = { ...part(next, 'status'), phase: 'Terminating' }
    },
  },
})
