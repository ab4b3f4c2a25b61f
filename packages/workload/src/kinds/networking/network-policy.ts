import { fieldError } from '@continuo/core'
import type { NetworkPolicy as NetworkPolicyObject } from '../../generated/types/networking-v1.ts'
import { each } from '../../rules/each.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'
import { checkOneOf } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { selectorCell } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkPeer, checkPolicyPort } from './check-peer.ts'

export type NetworkPolicy = NetworkPolicyObject
/** Handle of networkpolicies in networking.k8s.io/v1. */
export const NetworkPolicy = kindOf<NetworkPolicy>('networking.k8s.io/v1', 'networkpolicies')

export const networkPolicyResource = workloadResource(NetworkPolicy, {
  shortNames: ['netpol'],
  table: table<NetworkPolicy>(
    nameColumn(),
    text('Pod-Selector', ({ spec }) => selectorCell(spec?.podSelector)),
    ageColumn(),
  ),
  strategy: strategyOf<NetworkPolicy>({
    default({ spec }) {
      if (spec === undefined) return
      if ((spec.policyTypes?.length ?? 0) === 0) spec.policyTypes = (spec.egress?.length ?? 0) > 0 ? ['Ingress', 'Egress'] : ['Ingress']
      spec.podSelector ??= {}
      for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of ports ?? []) port.protocol ??= 'TCP'
    },
    validate({ spec }, errors) {
      checkLabelSelector(spec?.podSelector, 'spec.podSelector', errors)
      const types = spec?.policyTypes ?? []
      if (types.length > 2) errors.push(fieldError.invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'))
      else each(types, 'spec.policyTypes', (type, at) => checkOneOf(type, ['Ingress', 'Egress'], at, errors))
      each(spec?.ingress, 'spec.ingress', ({ ports, from }, rule) => {
        each(ports, `${rule}.ports`, (port, path) => checkPolicyPort(port, path, errors))
        each(from, `${rule}.from`, (peer, path) => checkPeer(peer, path, errors))
      })
      each(spec?.egress, 'spec.egress', ({ ports, to }, rule) => {
        each(ports, `${rule}.ports`, (port, path) => checkPolicyPort(port, path, errors))
        each(to, `${rule}.to`, (peer, path) => checkPeer(peer, path, errors))
      })
    },
  }),
})
