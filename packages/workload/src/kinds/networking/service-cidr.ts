import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { ServiceCIDR as ServiceCIDRObject } from '../../generated/types/networking-v1.ts'
import { each } from '../../rules/each.ts'
import { checkCanonicalNetwork, parseNetwork } from '../../rules/networks.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type ServiceCIDR = ServiceCIDRObject
/** Handle of servicecidrs in networking.k8s.io/v1. */
export const ServiceCIDR = kindOf<ServiceCIDR>('networking.k8s.io/v1', 'servicecidrs')

export const serviceCidrResource = workloadResource(ServiceCIDR, {
  table: table<ServiceCIDR>(
    nameColumn(),
    text('CIDRs', ({ spec }) => (spec?.cidrs ?? []).join(',')),
    ageColumn(),
  ),
  strategy: strategyOf<ServiceCIDR>({
    validate: ({ spec }, errors) => checkRanges(spec?.cidrs ?? [], errors),
    validateUpdate: ({ spec }, old, errors) => checkUnchanged(spec?.cidrs ?? [], old.spec?.cidrs ?? [], errors),
  }),
})

/** One range, or one of each family. */
function checkRanges(cidrs: DeepReadonly<string[]>, errors: FieldError[]): void {
  const path = 'spec.cidrs'
  if (cidrs.length === 0) errors.push(fieldError.required(path, 'at least one CIDR required'))
  else if (cidrs.length > 2) errors.push(fieldError.invalid(path, cidrs, 'may only hold up to 2 values'))
  else {
    each(cidrs, path, (cidr, at) => checkCanonicalNetwork(cidr, at, errors))
    const [first, second] = cidrs.map((cidr) => parseNetwork(cidr)?.family)
    if (first !== undefined && first === second)
      errors.push(
        fieldError.invalid(path, cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'),
      )
  }
}

/** Ranges stay as they are; a second one may be added to the first. */
function checkUnchanged(next: DeepReadonly<string[]>, old: DeepReadonly<string[]>, errors: FieldError[]): void {
  const widened = old.length === 1 && next.length === 2
  if (next.length !== old.length && !widened) checkImmutable(next, old, 'spec.cidrs', errors)
  else for (const [index, cidr] of old.entries()) checkImmutable(next[index], cidr, `spec.cidrs[${index}]`, errors)
}
