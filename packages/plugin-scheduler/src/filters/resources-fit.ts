import type { Rejection } from '@continuo/workload'
import type { BuiltInFilter } from './built-in.ts'

/** Requests must fit into what the node can give beside what it has given; every lacking resource is named. */
export const resourcesFit: BuiltInFilter = {
  name: 'NodeResourcesFit',
  prepare: ({ requests }) => {
    const wanted = Object.entries(requests).filter(([, amount]) => amount > 0)
    return ({ allocatable, requested, pods }) => {
      let reasons: string[] | undefined
      let retriable = true
      if (pods.length + 1 > (allocatable.pods ?? 0)) reasons = ['Too many pods']
      for (const [resource, amount] of wanted) {
        const capacity = allocatable[resource] ?? 0
        if (amount <= capacity - (requested[resource] ?? 0)) continue
        reasons ??= []
        reasons.push(`Insufficient ${resource}`)
        if (amount > capacity) retriable = false
      }
      return reasons === undefined ? undefined : rejection(reasons, retriable)
    }
  },
}

function rejection([reason, ...also]: string[], retriable: boolean): Rejection {
  return { reason: reason as string, ...(also.length === 0 ? {} : { also }), retriable }
}
