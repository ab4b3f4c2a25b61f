import type { DeepReadonly } from '@continuo/core'
import { type ExactQuantity, formatQuantity, quantityToNumber } from '@continuo/lib-quantity'
import type { LimitRange, PersistentVolumeClaim, Pod } from '@continuo/workload'
import { type Amounts, amountsOf } from '../amounts/amounts.ts'
import { containerAmounts } from '../amounts/pod-amounts.ts'

type Range = DeepReadonly<LimitRange>

/** What one container, pod or claim asks for. */
interface Asked {
  readonly requests: Amounts
  readonly limits: Amounts
}

/** What of a pod breaks a range: one sentence for each fault, as Kubernetes words it. */
export function podFaults({ spec }: DeepReadonly<Pod>, range: Range): readonly string[] {
  if (spec === undefined) return []
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(
    ({ resources }): Asked => ({ requests: amountsOf(resources?.requests), limits: amountsOf(resources?.limits) }),
  )
  const whole: Asked = { requests: containerAmounts(spec, 'requests'), limits: containerAmounts(spec, 'limits') }
  return (range.spec?.limits ?? []).flatMap((limit) => {
    const checked = limit.type === 'Container' ? containers : limit.type === 'Pod' ? [whole] : []
    return checked.flatMap((asked) => [
      ...eachOf(limit.min, (name, bound) => minimumFault(limit.type, name, bound, asked)),
      ...eachOf(limit.max, (name, bound) => maximumFault(limit.type, name, bound, asked)),
      ...eachOf(limit.maxLimitRequestRatio, (name, bound) => ratioFault(limit.type, name, bound, asked)),
    ])
  })
}

/** The same for a claim, of which the requests alone count. */
export function claimFaults({ spec }: DeepReadonly<PersistentVolumeClaim>, range: Range): readonly string[] {
  const asked: Asked = { requests: amountsOf(spec?.resources?.requests), limits: new Map() }
  return (range.spec?.limits ?? []).flatMap(({ type, min, max }) =>
    type === 'PersistentVolumeClaim'
      ? [
          ...eachOf(min, (name, bound) => minimumFault(type, name, bound, asked)),
          ...eachOf(max, (name, bound) => maximumRequestFault(type, name, bound, asked)),
        ]
      : [],
  )
}

const eachOf = (
  bounds: Readonly<Record<string, string>> | undefined,
  fault: (name: string, bound: ExactQuantity) => string | undefined,
): readonly string[] => [...amountsOf(bounds)].map(([name, bound]) => fault(name, bound)).filter((text) => text !== undefined)

function minimumFault(type: string, name: string, bound: ExactQuantity, { requests, limits }: Asked): string | undefined {
  const [request, limit] = [requests.get(name), limits.get(name)]
  const rule = `minimum ${name} usage per ${type} is ${formatQuantity(bound)}`
  if (request === undefined) return `${rule}.  No request is specified`
  if (request.nano < bound.nano) return `${rule}, but request is ${formatQuantity(request)}`
  return limit !== undefined && limit.nano < bound.nano ? `${rule}, but limit is ${formatQuantity(limit)}` : undefined
}

function maximumFault(type: string, name: string, bound: ExactQuantity, { requests, limits }: Asked): string | undefined {
  const [request, limit] = [requests.get(name), limits.get(name)]
  const rule = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`
  if (limit === undefined) return `${rule}.  No limit is specified`
  if (limit.nano > bound.nano) return `${rule}, but limit is ${formatQuantity(limit)}`
  return request !== undefined && request.nano > bound.nano ? `${rule}, but request is ${formatQuantity(request)}` : undefined
}

function maximumRequestFault(type: string, name: string, bound: ExactQuantity, { requests }: Asked): string | undefined {
  const request = requests.get(name)
  const rule = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`
  if (request === undefined) return `${rule}.  No request is specified`
  return request.nano > bound.nano ? `${rule}, but request is ${formatQuantity(request)}` : undefined
}

function ratioFault(type: string, name: string, bound: ExactQuantity, { requests, limits }: Asked): string | undefined {
  const [request, limit] = [requests.get(name), limits.get(name)]
  const rule = `${name} max limit to request ratio per ${type} is ${formatQuantity(bound)}`
  if (request === undefined || request.nano === 0n) return `${rule}, but no request is specified or request is 0`
  if (limit === undefined || limit.nano === 0n) return `${rule}, but no limit is specified or limit is 0`
  const exceeds = limit.nano * 1_000_000_000n > bound.nano * request.nano
  return exceeds ? `${rule}, but provided ratio is ${(quantityToNumber(limit) / quantityToNumber(request)).toFixed(6)}` : undefined
}
