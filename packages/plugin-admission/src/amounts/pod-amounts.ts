import type { DeepReadonly } from '@continuo/core'
import type { ExactQuantity } from '@continuo/lib-quantity'
import type { Container, PodSpec } from '@continuo/workload'
import { type Amounts, addTo, amountsOf, raiseTo } from './amounts.ts'

type Side = 'requests' | 'limits'
type Spec = DeepReadonly<PodSpec>

/** Resources that a pod may ask for as a whole (KEP-2837). */
const wholePod = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

const of = ({ resources }: DeepReadonly<Container>, side: Side): Map<string, ExactQuantity> => amountsOf(resources?.[side])

/**
 * What a pod needs at its most: its containers together with the sidecars, or one init container with the sidecars that began before it,
 * whichever is more (KEP-753). What the pod asks for as a whole stands instead of that. Without overhead.
 */
export function containerAmounts(spec: Spec, side: Side): Map<string, ExactQuantity> {
  const total = new Map<string, ExactQuantity>()
  for (const container of spec.containers ?? []) addTo(total, of(container, side))
  const sidecars = new Map<string, ExactQuantity>()
  const initial = new Map<string, ExactQuantity>()
  for (const container of spec.initContainers ?? []) {
    const own = of(container, side)
    if (container.restartPolicy === 'Always') {
      addTo(total, own)
      addTo(sidecars, own)
      raiseTo(initial, sidecars)
    } else raiseTo(initial, addTo(own, sidecars))
  }
  raiseTo(total, initial)
  for (const [name, amount] of amountsOf(spec.resources?.[side])) if (wholePod(name)) total.set(name, amount)
  return total
}

/** The same with the overhead of the pod's runtime class; limits get it only where there is a limit. */
export function podAmounts(spec: Spec, side: Side): Amounts {
  const total = containerAmounts(spec, side)
  const overhead = amountsOf(spec.overhead)
  if (side === 'limits') for (const name of overhead.keys()) if (!total.has(name)) overhead.delete(name)
  return addTo(total, overhead)
}
