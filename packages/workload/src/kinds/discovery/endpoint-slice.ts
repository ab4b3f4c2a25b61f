import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { EndpointPort, EndpointSlice as EndpointSliceObject } from '../../generated/types/discovery-v1.ts'
import { checkName, isDnsLabel, isDnsSubdomain } from '../../rules/names.ts'
import { addressFamily, checkImmutable, checkOneOf, checkPortNumber } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type EndpointSlice = EndpointSliceObject
/** Handle of endpointslices in discovery.k8s.io/v1. */
export const EndpointSlice = kindOf<EndpointSlice>('discovery.k8s.io/v1', 'endpointslices')

const maxEndpoints = 1000
const maxPorts = 20_000
const maxAddresses = 100
const maxShown = 3

export const endpointSliceResource = workloadResource(EndpointSlice, {
  table: table<EndpointSlice>(
    nameColumn(),
    text('AddressType', ({ addressType }) => addressType),
    text('Ports', ({ ports }) => formatPorts(ports ?? [])),
    text('Endpoints', ({ endpoints }) =>
      shorten(
        (endpoints ?? []).flatMap((endpoint) => endpoint.addresses),
        '<unset>',
      ),
    ),
    ageColumn(),
  ),
  strategy: strategyOf<EndpointSlice>({
    default(slice) {
      // Go writes an empty list as null.
      slice.endpoints ??= []
      for (const port of slice.ports ?? []) {
        port.name ??= ''
        port.protocol ??= 'TCP'
      }
    },
    validate(slice, errors) {
      checkOneOf(slice.addressType, ['IPv4', 'IPv6', 'FQDN'], 'addressType', errors)
      const { endpoints = [], ports = [] } = slice
      if (endpoints.length > maxEndpoints) errors.push(fieldError.tooMany('endpoints', endpoints.length, maxEndpoints))
      if (ports.length > maxPorts) errors.push(fieldError.tooMany('ports', ports.length, maxPorts))
      checkEndpoints(slice, errors)
      checkPorts(slice.ports ?? [], errors)
    },
    validateUpdate: (next, old, errors) => checkImmutable(next.addressType, old.addressType, 'addressType', errors),
  }),
})

function checkEndpoints({ addressType, endpoints }: DeepReadonly<EndpointSlice>, errors: FieldError[]): void {
  endpoints?.forEach(({ addresses, hostname }, index) => {
    const path = `endpoints[${index}].addresses`
    if ((addresses ?? []).length === 0) errors.push(fieldError.required(path, 'must contain at least 1 address'))
    else if (addresses.length > maxAddresses) errors.push(fieldError.tooMany(path, addresses.length, maxAddresses))
    addresses?.forEach((address, at) => {
      const family = addressFamily(address)
      if (addressType === 'FQDN') checkName(isDnsSubdomain, address, `${path}[${at}]`, errors)
      else if (addressType === 'IPv4' && family !== 4) errors.push(fieldError.invalid(`${path}[${at}]`, address, 'must be an IPv4 address'))
      else if (addressType === 'IPv6' && family !== 6) errors.push(fieldError.invalid(`${path}[${at}]`, address, 'must be an IPv6 address'))
    })
    if (hostname) checkName(isDnsLabel, hostname, `endpoints[${index}].hostname`, errors)
  })
}

function checkPorts(ports: readonly DeepReadonly<EndpointPort>[], errors: FieldError[]): void {
  const names = new Set<string>()
  ports.forEach(({ name = '', port, protocol }, index) => {
    if (names.has(name)) errors.push(fieldError.duplicate(`ports[${index}].name`, name))
    names.add(name)
    if (name !== '') checkName(isDnsLabel, name, `ports[${index}].name`, errors)
    if (port !== undefined) checkPortNumber(port, `ports[${index}].port`, errors)
    checkOneOf(protocol, ['TCP', 'UDP', 'SCTP'], `ports[${index}].protocol`, errors)
  })
}

const formatPorts = (ports: readonly DeepReadonly<EndpointPort>[]): string =>
  shorten(
    ports.map(({ port }) => (port === undefined ? '*' : String(port))),
    '<unset>',
  )

const shorten = (items: readonly string[], none: string): string =>
  items.length === 0
    ? none
    : items.length <= maxShown
      ? items.join(',')
      : `${items.slice(0, maxShown).join(',')} + ${items.length - maxShown} more...`
