import { defineResource, type Kind, type KubeObject, type ResourceDefinition, type TableDefinition } from '@continuo/core'
import { schemaOf } from '../../schema/schema-of.ts'

/** A resource of metrics.k8s.io: readable, never stored. */
export const measuredResource = <T extends KubeObject>(kind: Kind<T>, table: TableDefinition): ResourceDefinition =>
  defineResource({
    group: kind.group,
    plural: kind.resource,
    kind: kind.kind,
    namespaced: kind.namespaced,
    verbs: ['get', 'list'],
    virtual: true,
    storageVersion: kind.version,
    versions: [{ name: kind.version, schema: () => schemaOf(`io.k8s.metrics.pkg.apis.metrics.v1beta1.${kind.kind}`), table }],
  })
