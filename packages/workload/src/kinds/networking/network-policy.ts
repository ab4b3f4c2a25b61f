import type { NetworkPolicy as NetworkPolicyObject } from '../../generated/types/networking-v1.ts'
import { each } from '../../rules/each.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'
import { checkOneOf, checkPort } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { selectorCell } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

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
      each(spec?.policyTypes, 'spec.policyTypes', (type, at) => checkOneOf(type, ['Ingress', 'Egress'], at, errors))
      for (const direction of ['ingress', 'egress'] as const)
        each(spec?.[direction], `spec.${direction}`, ({ ports }, rule) =>
          each(ports, `${rule}.ports`, ({ port, protocol }, path) => {
            checkOneOf(protocol, ['TCP', 'UDP', 'SCTP'], `${path}.protocol`, errors)
            if (port !== undefined) checkPort(port, `${path}.port`, errors)
          }),
        )
    },
  }),
})
