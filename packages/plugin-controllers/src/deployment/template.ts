import type { DeepReadonly } from '@continuo/core'
import type { PodTemplateSpec } from '@continuo/workload'
import { byAge, type DeploymentView, type ReplicaSetView } from './views.ts'

export const hashLabel = 'pod-template-hash'

const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** JSON with sorted keys and without what is undefined: equal templates give equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  )
}

/** FNV-1a, 32 bits, over UTF-8. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}

/** The value of `pod-template-hash`: the template's hash, moved by the collision count, in letters that spell no words. */
export function templateHash(template: DeepReadonly<PodTemplateSpec>, collisionCount = 0): string {
  const hash = fnv32a(`${canonicalJson(template)}${collisionCount === 0 ? '' : `#${collisionCount}`}`)
  return [...String(hash)].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join('')
}

function withoutHash(template: DeepReadonly<PodTemplateSpec> | undefined): unknown {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {}
  const { annotations, ...metadata } = template?.metadata ?? {}
  return { spec: template?.spec, metadata: { ...metadata, creationTimestamp: undefined, labels, annotations: annotations ?? {} } }
}

/** True when two templates make the same pods, their hash label apart. */
export const sameTemplate = (a: DeepReadonly<PodTemplateSpec> | undefined, b: DeepReadonly<PodTemplateSpec> | undefined): boolean =>
  canonicalJson(withoutHash(a)) === canonicalJson(withoutHash(b))

/** The set of the deployment's present template and the others, oldest first. Of several with the template, the oldest is the one. */
export function splitSets(
  deployment: DeploymentView,
  sets: readonly ReplicaSetView[],
): { readonly current: ReplicaSetView | undefined; readonly old: readonly ReplicaSetView[] } {
  const sorted = [...sets].sort(byAge)
  const current = sorted.find((set) => sameTemplate(set.spec?.template, deployment.spec?.template))
  return { current, old: sorted.filter((set) => set !== current) }
}
