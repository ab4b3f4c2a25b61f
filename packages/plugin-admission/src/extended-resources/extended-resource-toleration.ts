import { definePlugin } from '@continuo/core'
import type { PodSpec } from '@continuo/workload'
import { newPod } from '../requests/requests.ts'
import { mergeTolerations } from '../requests/tolerations.ts'

const isExtended = (name: string): boolean => name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.')

/** Names of the extended resources that containers of a pod ask for: each once, sorted. */
export function extendedResources({ containers, initContainers }: PodSpec): readonly string[] {
  const names = [...containers, ...(initContainers ?? [])].flatMap(({ resources }) => Object.keys(resources?.requests ?? {}))
  return [...new Set(names.filter(isExtended))].sort()
}

/** Lets pods that ask for an extended resource onto nodes that are kept free for it by a taint of that name. */
export const extendedResourceToleration = definePlugin({
  name: 'extended-resource-toleration',
  api: '^1',
  setup(ctx) {
    ctx.admission({
      mutate(request) {
        const spec = newPod(request)?.spec
        if (spec === undefined) return
        const names = extendedResources(spec)
        if (names.length > 0)
          spec.tolerations = mergeTolerations(
            spec.tolerations ?? [],
            names.map((key) => ({ key, operator: 'Exists' })),
          )
      },
    })
  },
})
