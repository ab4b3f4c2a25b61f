import { defineResource } from '@continuo/core'
import type { ComponentStatus as ComponentStatusObject } from '../../generated/types/core-v1.ts'
import { schemaOf } from '../../schema/schema-of.ts'
import { nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'

export type ComponentStatus = ComponentStatusObject
/** Handle of componentstatuses in v1: deprecated, computed when they are read. */
export const ComponentStatus = kindOf<ComponentStatus>('v1', 'componentstatuses')

const healthyOf = ({ conditions }: { readonly conditions?: ComponentStatus['conditions'] }) =>
  conditions?.find(({ type }) => type === 'Healthy')

export const componentStatusResource = defineResource({
  group: '',
  plural: ComponentStatus.resource,
  kind: ComponentStatus.kind,
  namespaced: false,
  shortNames: ['cs'],
  verbs: ['get', 'list'],
  virtual: true,
  storageVersion: 'v1',
  versions: [
    {
      name: 'v1',
      deprecated: true,
      deprecationWarning: 'v1 ComponentStatus is deprecated in v1.19+',
      schema: () => schemaOf('io.k8s.api.core.v1.ComponentStatus'),
      table: table<ComponentStatus>(
        nameColumn(),
        text('Status', (status) => {
          const healthy = healthyOf(status as ComponentStatus)?.status
          return healthy === 'True' ? 'Healthy' : healthy === 'False' ? 'Unhealthy' : 'Unknown'
        }),
        text('Message', (status) => healthyOf(status as ComponentStatus)?.message ?? ''),
        text('Error', (status) => healthyOf(status as ComponentStatus)?.error ?? ''),
      ),
    },
  ],
})
