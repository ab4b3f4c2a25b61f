import {
  ApiError,
  formatLabelSelector,
  type LabelSelector,
  labelSelectorRequirements,
  type ObjectSubresource,
  type UnstructuredObject,
} from '@continuo/core'
import type { Scale } from '../generated/types/autoscaling-v1.ts'
import { schemaOf } from '../schema/schema-of.ts'
import { ageColumn, integer, nameColumn, table } from '../table/columns.ts'

interface Scalable {
  readonly spec?: { readonly replicas?: number; readonly selector?: unknown }
  readonly status?: { readonly replicas?: number }
}

const scaleTable = table<Scale>(
  nameColumn(),
  integer('Desired', ({ spec }) => spec?.replicas ?? 0),
  integer('Available', ({ status }) => status?.replicas ?? 0),
  ageColumn(),
)

/** The `scale` subresource (autoscaling/v1 Scale) of a kind that counts replicas in `spec.replicas`. */
export const scaleSubresource = (verbs: ObjectSubresource['verbs'] = ['get', 'update', 'patch']): ObjectSubresource => ({
  type: 'object',
  name: 'scale',
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  verbs,
  get schema() {
    return schemaOf('io.k8s.api.autoscaling.v1.Scale')
  },
  table: scaleTable,
  read(parent) {
    const { spec, status } = parent as Scalable
    const { name, namespace, uid, resourceVersion, creationTimestamp } = parent.metadata
    const selector = selectorText(spec?.selector)
    const scale: Scale = {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: { replicas: spec?.replicas ?? 0 },
      status: { replicas: status?.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
    }
    return scale as unknown as UnstructuredObject
  },
  write(parent, body) {
    const { replicas = 0 } = (body as unknown as Scale).spec ?? {}
    if (replicas < 0) {
      const fault = {
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
        field: 'spec.replicas',
      }
      throw new ApiError(
        'Invalid',
        `Scale.autoscaling ${JSON.stringify(parent.metadata.name)} is invalid: ${fault.field}: ${fault.message}`,
        {
          name: parent.metadata.name,
          group: 'autoscaling',
          kind: 'Scale',
          causes: [fault],
        },
      )
    }
    parent.spec = { ...(parent.spec as object), replicas }
    return parent
  },
})

/** A label selector, or the plain map of a replication controller, as the text of a list request. */
function selectorText(selector: unknown): string {
  if (selector === undefined || selector === null) return ''
  const isMap = Object.values(selector).every((value) => typeof value === 'string')
  const requirements = labelSelectorRequirements((isMap ? { matchLabels: selector } : selector) as LabelSelector)
  return requirements === undefined ? '' : formatLabelSelector(requirements)
}
