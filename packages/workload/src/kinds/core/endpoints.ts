import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { EndpointSubset, Endpoints as EndpointsObject } from '../../generated/types/core-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, isDnsLabel } from '../../rules/names.ts'
import { checkAddress, checkOneOf, checkPortNumber } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type Endpoints = EndpointsObject
/** Handle of endpoints in v1. */
export const Endpoints = kindOf<Endpoints>('v1', 'endpoints')

/** Addresses that the table shows before it counts the rest. */
const maxShown = 3

export const endpointsResource = workloadResource(Endpoints, {
  shortNames: ['ep'],
  table: table<Endpoints>(
    nameColumn(),
    text('Endpoints', ({ subsets }) => formatSubsets(subsets ?? [])),
    ageColumn(),
  ),
  strategy: strategyOf<Endpoints>({
    default({ subsets }) {
      for (const subset of subsets ?? []) for (const port of subset.ports ?? []) port.protocol ??= 'TCP'
    },
    validate: ({ subsets }, errors) => each(subsets, 'subsets', (subset, at) => checkSubset(subset, at, errors)),
  }),
})

function formatSubsets(subsets: readonly DeepReadonly<EndpointSubset>[]): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`))),
  )
  if (all.length === 0) return '<none>'
  return all.length <= maxShown ? all.join(',') : `${all.slice(0, maxShown).join(',')} + ${all.length - maxShown} more...`
}

function checkSubset(
  { addresses = [], notReadyAddresses = [], ports = [] }: DeepReadonly<EndpointSubset>,
  path: string,
  errors: FieldError[],
): void {
  if (addresses.length === 0 && notReadyAddresses.length === 0)
    errors.push(fieldError.required(path, 'must specify `addresses` or `notReadyAddresses`'))
  for (const [name, list] of [
    ['addresses', addresses],
    ['notReadyAddresses', notReadyAddresses],
  ] as const)
    each(list, `${path}.${name}`, ({ ip }, at) => checkAddress(ip, `${at}.ip`, errors))
  ports.forEach((port, index) => {
    const at = `${path}.ports[${index}]`
    if (!port.name && ports.length > 1) errors.push(fieldError.required(`${at}.name`))
    else if (port.name) checkName(isDnsLabel, port.name, `${at}.name`, errors)
    checkPortNumber(port.port, `${at}.port`, errors)
    checkOneOf(port.protocol, ['TCP', 'UDP', 'SCTP'], `${at}.protocol`, errors)
  })
}
