import type { FieldError } from '../errors/field-error.ts'
import { fieldError } from '../errors/field-error.ts'
import type { KubeObject } from '../objects/object.ts'
import { defineResource, kind } from '../resources/resource.ts'
import { isRecord } from '../schema/json-value.ts'
import { age } from './age.ts'
import { int32, microTime, objectSchema, record, text } from './schemas.ts'

export interface Lease extends KubeObject {
  apiVersion: 'coordination.k8s.io/v1'
  kind: 'Lease'
  spec?: {
    holderIdentity?: string
    leaseDurationSeconds?: number
    acquireTime?: string
    renewTime?: string
    leaseTransitions?: number
    strategy?: string
    preferredHolder?: string
  }
}

export const Lease = kind<Lease>({ group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', resource: 'leases', namespaced: true })

const api = 'io.k8s.api.coordination.v1'

/** Sign of a spec's number that must be positive, or not negative. */
function checkNumber(spec: Readonly<Record<string, unknown>>, field: string, minimum: number, words: string): FieldError[] {
  const value = spec[field]
  return typeof value === 'number' && value < minimum ? [fieldError.invalid(`spec.${field}`, value, words)] : []
}

export const leaseResource = defineResource({
  group: 'coordination.k8s.io',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
  storageVersion: 'v1',
  versions: [
    {
      name: 'v1',
      schema: objectSchema(`${api}.Lease`, 'Lease defines a lease concept.', {
        spec: record(`${api}.LeaseSpec`, {
          holderIdentity: text,
          leaseDurationSeconds: int32,
          acquireTime: microTime,
          renewTime: microTime,
          leaseTransitions: int32,
          strategy: text,
          preferredHolder: text,
        }),
      }),
      table: {
        columns: [
          { name: 'Name', type: 'string', format: 'name', description: 'Name of the lease.' },
          { name: 'Holder', type: 'string', description: 'Who holds it.' },
          { name: 'Age', type: 'string', description: 'Time since the lease was created.' },
        ],
        row: (object, now) => [object.metadata.name, (object.spec as Lease['spec'])?.holderIdentity ?? '', age(object, now)],
      },
    },
  ],
  strategy: {
    changesGeneration: () => false,
    validate(next) {
      const { spec } = next
      if (!isRecord(spec)) return []
      return [
        ...checkNumber(spec, 'leaseDurationSeconds', 1, 'must be greater than 0'),
        ...checkNumber(spec, 'leaseTransitions', 0, 'must be greater than or equal to 0'),
      ]
    },
  },
})
