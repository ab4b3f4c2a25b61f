import type { DeepReadonly } from '@continuo/core'
import type { Container, LimitRange, Pod } from '@continuo/workload'

const annotation = 'kubernetes.io/limit-ranger'
const sides = [
  ['requests', 'defaultRequest', 'request'],
  ['limits', 'default', 'limit'],
] as const

/** Gives containers what a range says for those that do not say it themselves, and notes it on the pod. Changes the pod. */
export function defaultResources(pod: Pod, range: DeepReadonly<LimitRange>): void {
  const limits = (range.spec?.limits ?? []).filter(({ type }) => type === 'Container')
  if (limits.length === 0 || pod.spec === undefined) return
  const notes: string[] = []
  const fill = (container: Container, what: string): void => {
    for (const [side, source, word] of sides) {
      const defaults = Object.assign({}, ...limits.map((limit) => limit[source]))
      const own = container.resources?.[side] ?? {}
      const lacking = Object.keys(defaults).filter((name) => !Object.hasOwn(own, name))
      if (lacking.length === 0) continue
      container.resources = {
        ...container.resources,
        [side]: { ...own, ...Object.fromEntries(lacking.map((name) => [name, defaults[name]])) },
      }
      notes.push(`${lacking.sort().join(', ')} ${word} for ${what} ${container.name}`)
    }
  }
  for (const container of pod.spec.containers) fill(container, 'container')
  for (const container of pod.spec.initContainers ?? []) fill(container, 'init container')
  if (notes.length > 0)
    pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: `LimitRanger plugin set: ${notes.join('; ')}` }
}
