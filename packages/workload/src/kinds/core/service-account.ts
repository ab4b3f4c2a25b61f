import type { ServiceAccount as ServiceAccountObject } from '../../generated/types/core-v1.ts'
import { schemaOf } from '../../schema/schema-of.ts'
import { ageColumn, integer, nameColumn, table } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type ServiceAccount = ServiceAccountObject
/** Handle of serviceaccounts in v1. */
export const ServiceAccount = kindOf<ServiceAccount>('v1', 'serviceaccounts')

export const serviceAccountResource = workloadResource(ServiceAccount, {
  shortNames: ['sa'],
  table: table<ServiceAccount>(
    nameColumn(),
    integer('Secrets', ({ secrets }) => secrets?.length ?? 0),
    ageColumn(),
  ),
  subresources: [
    {
      type: 'action',
      name: 'token',
      kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      verbs: ['create'],
      get schema() {
        return schemaOf('io.k8s.api.authentication.v1.TokenRequest')
      },
    },
  ],
})
