import { type ExactQuantity, parseQuantity } from '@continuo/lib-quantity'
import type { Service } from '@continuo/workload'
import { none, one } from '../../amounts/amounts.ts'
import type { Evaluator } from '../evaluator.ts'

const names = new Set(['count/services', 'services', 'services.nodeports', 'services.loadbalancers'])

/** Counts services, and the node ports and load balancers that they ask for: before anything is allocated, so by intent. */
export const serviceEvaluator: Evaluator = {
  handles: ({ operation, subresource }) => (operation === 'CREATE' || operation === 'UPDATE') && subresource === undefined,
  counts: (name) => names.has(name),
  usage(object) {
    const { spec } = object as unknown as Service
    const balanced = spec?.type === 'LoadBalancer'
    const ports = spec?.ports ?? []
    const wanted =
      balanced && spec.allocateLoadBalancerNodePorts === false
        ? ports.filter(({ nodePort }) => (nodePort ?? 0) !== 0).length
        : balanced || spec?.type === 'NodePort'
          ? ports.length
          : 0
    return new Map<string, ExactQuantity>([
      ['count/services', one],
      ['services', one],
      ['services.nodeports', parseQuantity(wanted)],
      ['services.loadbalancers', balanced ? one : none],
    ])
  },
}
