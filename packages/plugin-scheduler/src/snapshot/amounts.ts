import type { DeepReadonly } from '@continuo/core'
import { quantityMilliValue, quantityValue } from '@continuo/lib-quantity'
import type { Amounts, Container, Pod } from '@continuo/workload'

const plain = /^(\d{1,12})(m|k|Ki|Mi|Gi)?$/
const units: Readonly<Record<string, number>> = { '': 1, m: 0.001, k: 1000, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }

/** One quantity in the unit of its resource: millicores for `cpu`, whole units (bytes) for all others, rounded up. */
export function amountOf(resource: string, quantity: string): number {
  const match = plain.exec(quantity)
  if (match === null) return Number(resource === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity))
  const suffix = match[2] ?? ''
  const digits = Number(match[1])
  if (resource === 'cpu') return suffix === 'm' ? digits : digits * (units[suffix] as number) * 1000
  return suffix === 'm' ? Math.ceil(digits / 1000) : digits * (units[suffix] as number)
}

export function amountsOf(list: Readonly<Record<string, string>> | undefined): Record<string, number> {
  const amounts: Record<string, number> = {}
  for (const resource in list) amounts[resource] = amountOf(resource, list[resource] as string)
  return amounts
}

/** Adds in place. */
export function addAmounts(sum: Record<string, number>, more: Amounts, sign = 1): void {
  for (const resource in more) sum[resource] = (sum[resource] ?? 0) + sign * (more[resource] as number)
}

function raiseTo(sum: Record<string, number>, other: Amounts): void {
  for (const resource in other) if ((sum[resource] ?? 0) < (other[resource] as number)) sum[resource] = other[resource] as number
}

const requestsOf = (container: DeepReadonly<Container>): Record<string, number> => amountsOf(container.resources?.requests)

/**
 * What a pod asks of its node (KEP-753): the larger of what its containers need together and what starting it needs at most,
 * sidecars counted in both, plus its overhead. Requests of the pod itself replace those of its containers (KEP-2837).
 */
export function podRequests(pod: DeepReadonly<Pod>): Amounts {
  const sum: Record<string, number> = {}
  for (const container of pod.spec?.containers ?? []) addAmounts(sum, requestsOf(container))
  if (pod.spec?.initContainers !== undefined) includeInitContainers(sum, pod.spec.initContainers)
  const own = pod.spec?.resources?.requests
  if (own !== undefined) Object.assign(sum, amountsOf(own))
  if (pod.spec?.overhead !== undefined) addAmounts(sum, amountsOf(pod.spec.overhead))
  return sum
}

function includeInitContainers(sum: Record<string, number>, containers: readonly DeepReadonly<Container>[]): void {
  const sidecars: Record<string, number> = {}
  const peak: Record<string, number> = {}
  for (const container of containers) {
    const requests = requestsOf(container)
    if (container.restartPolicy === 'Always') {
      addAmounts(sum, requests)
      addAmounts(sidecars, requests)
      raiseTo(peak, sidecars)
    } else {
      const during = { ...sidecars }
      addAmounts(during, requests)
      raiseTo(peak, during)
    }
  }
  raiseTo(sum, peak)
}

/** What a container without requests is taken to need when nodes are compared: 100 millicores and 200 MB. */
export const assumedCpu = 100
export const assumedMemory = 200 * 1024 * 1024

/** CPU and memory for scoring: pods without requests count, so that they spread as well. */
export function scoringRequests(pod: DeepReadonly<Pod>, requests: Amounts): { readonly cpu: number; readonly memory: number } {
  let cpu = 0
  let memory = 0
  for (const container of pod.spec?.containers ?? []) {
    const own = container.resources?.requests
    if (own?.cpu === undefined) cpu += assumedCpu
    if (own?.memory === undefined) memory += assumedMemory
  }
  return { cpu: (requests.cpu ?? 0) + cpu, memory: (requests.memory ?? 0) + memory }
}
