import type { DeepReadonly } from '@continuo/core'
import { compareQuantities, isQuantity } from '@continuo/lib-quantity'
import type { PodSpec } from '../generated/types/core-v1.ts'

/** The class by which pods are evicted when a node runs short (`v1qos.GetPodQOS`). */
export function qualityOfService(spec: DeepReadonly<PodSpec>): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  let some = false
  let guaranteed = true
  for (const { resources } of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const name of ['cpu', 'memory']) {
      const limit = resources?.limits?.[name]
      const request = resources?.requests?.[name] ?? limit
      if (isPositive(limit) || isPositive(request)) some = true
      if (!isPositive(limit) || !isPositive(request) || compareQuantities(limit, request) !== 0) guaranteed = false
    }
  }
  return some ? (guaranteed ? 'Guaranteed' : 'Burstable') : 'BestEffort'
}

const isPositive = (amount: string | undefined): amount is string => isQuantity(amount) && compareQuantities(amount, '0') > 0
