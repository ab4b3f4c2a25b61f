import { type DeepReadonly, fieldError, pathSegmentFaults } from '@continuo/core'
import type { IPAddress as IPAddressObject, ParentReference } from '../../generated/types/networking-v1.ts'
import { checkName, checkRequiredName, isDnsSubdomain } from '../../rules/names.ts'
import { canonicalAddress } from '../../rules/networks.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type IPAddress = IPAddressObject
/** Handle of ipaddresses in networking.k8s.io/v1. */
export const IPAddress = kindOf<IPAddress>('networking.k8s.io/v1', 'ipaddresses')

export const ipAddressResource = workloadResource(IPAddress, {
  shortNames: ['ip'],
  table: table<IPAddress>(
    nameColumn(),
    text('ParentRef', ({ spec }) => formatParent(spec?.parentRef)),
    ageColumn(),
  ),
  selectableFields: {
    'spec.parentRef.group': (object) => parentOf(object)?.group ?? '',
    'spec.parentRef.resource': (object) => parentOf(object)?.resource ?? '',
    'spec.parentRef.namespace': (object) => parentOf(object)?.namespace ?? '',
    'spec.parentRef.name': (object) => parentOf(object)?.name ?? '',
  },
  strategy: strategyOf<IPAddress>({
    // The name is the address: names cannot be generated.
    validateName(name) {
      const canonical = canonicalAddress(name)
      if (canonical === undefined) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']
      return canonical === name ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`]
    },
    validate({ spec }, errors) {
      const path = 'spec.parentRef'
      const { parentRef } = spec ?? {}
      if (parentRef === undefined) {
        errors.push(fieldError.required(path))
        return
      }
      // The core group, of Services, is the empty one.
      if (parentRef.group) checkName(isDnsSubdomain, parentRef.group, `${path}.group`, errors)
      checkRequiredName(pathSegmentFaults, parentRef.resource, `${path}.resource`, errors)
      checkRequiredName(pathSegmentFaults, parentRef.name, `${path}.name`, errors)
      if (parentRef.namespace) checkName(pathSegmentFaults, parentRef.namespace, `${path}.namespace`, errors)
    },
    validateUpdate: (next, old, errors) => checkImmutable(next.spec?.parentRef, old.spec?.parentRef, 'spec.parentRef', errors),
  }),
})

const parentOf = (object: unknown): DeepReadonly<ParentReference> | undefined => (object as DeepReadonly<IPAddress>).spec?.parentRef

function formatParent(parent: DeepReadonly<ParentReference> | undefined): string {
  if (parent === undefined) return '<none>'
  const resource = parent.group ? `${parent.resource}.${parent.group}` : parent.resource
  return [resource.toLowerCase(), ...(parent.namespace ? [parent.namespace] : []), parent.name].join('/')
}
