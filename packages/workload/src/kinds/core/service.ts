import { type DeepReadonly, dns1035LabelFaults } from '@continuo/core'
import type { Service as ServiceObject, ServicePort } from '../../generated/types/core-v1.ts'
import { ageColumn, nameColumn, orNone, table, text, wide } from '../../table/columns.ts'
import { labelsCell } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { defaultService, keepAllocated } from './service-defaults.ts'
import { checkService, checkServiceUpdate } from './service-validation.ts'

export type Service = ServiceObject
/** Handle of services in v1. */
export const Service = kindOf<Service>('v1', 'services')

export const serviceResource = workloadResource(Service, {
  shortNames: ['svc'],
  categories: ['all'],
  table: table<Service>(
    nameColumn(),
    text('Type', ({ spec }) => spec?.type ?? 'ClusterIP'),
    text('Cluster-IP', ({ spec }) => orNone(spec?.clusterIPs?.[0] ?? spec?.clusterIP)),
    text('External-IP', (service) => externalAddress(service)),
    text('Port(s)', ({ spec }) => orNone((spec?.ports ?? []).map(formatPort).join(','))),
    ageColumn(),
    wide('Selector', ({ spec }) => labelsCell(spec?.selector)),
  ),
  selectableFields: {
    'spec.clusterIP': (object) => (object as unknown as Service).spec?.clusterIP ?? '',
    'spec.type': (object) => (object as unknown as Service).spec?.type ?? '',
  },
  strategy: strategyOf<Service>({
    validateName: dns1035LabelFaults,
    default({ spec }) {
      if (spec !== undefined) defaultService(spec)
    },
    prepareForCreate(service) {
      service.status = { loadBalancer: {} }
    },
    prepareForUpdate(next, old) {
      if (next.spec !== undefined && old.spec !== undefined) keepAllocated(next.spec, old.spec)
    },
    validate: ({ spec }, errors) => checkService(spec ?? {}, errors),
    validateUpdate(next, old, errors, subresource) {
      if (subresource === undefined) checkServiceUpdate(next.spec ?? {}, old.spec ?? {}, errors)
    },
  }),
})

const formatPort = ({ port, nodePort, protocol }: DeepReadonly<ServicePort>): string =>
  nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`

function externalAddress({ spec, status }: DeepReadonly<Service>): string {
  const own = spec?.externalIPs ?? []
  if (spec?.type === 'ExternalName') return spec.externalName ?? ''
  if (spec?.type !== 'LoadBalancer') return orNone(own.join(','))
  const balanced = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter((address) => address !== '')
  return [...own, ...balanced].join(',') || '<pending>'
}
