import { definePlugin } from '@continuo/core'
import type { PodSpec, Toleration } from '@continuo/workload'
import { z } from 'zod'

const config = z
  .strictObject({
    notReadySeconds: z.int().min(0).default(300).describe('How long pods stay on a node that is not ready.'),
    unreachableSeconds: z.int().min(0).default(300).describe('How long pods stay on a node that is not heard of.'),
  })
  .prefault({})

/** The tolerations that are missing: pods that do not say themselves how long they bear an unhealthy node get a time. */
export function missingTolerations(
  tolerations: readonly Toleration[],
  seconds: { readonly notReadySeconds: number; readonly unreachableSeconds: number },
): readonly Toleration[] {
  const bears = (key: string): boolean =>
    tolerations.some((each) => (each.key === key || !each.key) && (!each.effect || each.effect === 'NoExecute'))
  return [
    ['node.kubernetes.io/not-ready', seconds.notReadySeconds] as const,
    ['node.kubernetes.io/unreachable', seconds.unreachableSeconds] as const,
  ]
    .filter(([key]) => !bears(key))
    .map(([key, tolerationSeconds]) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }))
}

/** Admission that gives each new pod a time for which it bears a node that is not ready or not heard of. */
export const defaultTolerations = definePlugin({
  name: 'default-tolerations',
  api: '^1',
  config,
  setup(ctx) {
    ctx.admission({
      mutate({ operation, resource, subresource, object }) {
        if (operation !== 'CREATE' || resource.group !== '' || resource.resource !== 'pods' || subresource) return
        const spec = (object as unknown as { spec?: PodSpec } | undefined)?.spec
        if (spec === undefined) return
        const missing = missingTolerations(spec.tolerations ?? [], ctx.config)
        if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...missing]
      },
    })
  },
})
