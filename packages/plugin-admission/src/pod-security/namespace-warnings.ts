import type { DeepReadonly } from '@continuo/core'
import type { Pod } from '@continuo/workload'
import { evaluate, inShort } from './evaluate.ts'
import {
  formatStandard,
  isFullyPrivileged,
  levelLabel,
  type Mode,
  modes,
  type Policy,
  type Standard,
  sameStandard,
  versionLabel,
} from './policy.ts'

const maxPods = 3000

type PodView = DeepReadonly<Pod>

/** Which pods that are there already would not be let in again, for a namespace that is held to a stricter standard. */
export function existingPodWarnings(namespace: string, pods: readonly PodView[], standard: Standard): readonly string[] {
  const ordered = oneOfEachControllerFirst(pods)
  const found = new Map<string, { first: string; count: number }>()
  for (const pod of ordered.slice(0, maxPods)) {
    if (pod.spec === undefined) continue
    const violations = evaluate(standard, { metadata: pod.metadata, spec: pod.spec })
    if (violations.length === 0) continue
    const text = inShort(violations)
    const known = found.get(text)
    const { name } = pod.metadata
    found.set(text, { first: known === undefined || name < known.first ? name : known.first, count: (known?.count ?? 0) + 1 })
  }
  const lines = [...found].map(([text, { first, count }]) => `${first}${others(count - 1)}: ${text}`).sort()
  return [
    ...(ordered.length > maxPods
      ? [`new PodSecurity enforce level only checked against the first ${maxPods} of ${ordered.length} existing pods`]
      : []),
    ...(lines.length > 0
      ? [
          `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(formatStandard(standard))}`,
        ]
      : []),
    ...lines,
  ]
}

const others = (count: number): string => (count === 0 ? '' : ` (and ${count} other pod${count === 1 ? '' : 's'})`)

/** Pods of one controller are alike: with one of each in front, a bound on their number hides least. */
function oneOfEachControllerFirst(pods: readonly PodView[]): readonly PodView[] {
  const seen = new Set<string>()
  const rest: PodView[] = []
  const first = pods.filter((pod) => {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid
    if (owner === undefined) return true
    if (seen.has(owner)) return void rest.push(pod)
    seen.add(owner)
    return true
  })
  return [...first, ...rest]
}

/** What to tell whoever labels a namespace that nothing is asked of; `undefined` when nothing is lost. */
export function exemptWarning(
  namespace: string,
  policy: Policy,
  defaults: Policy,
  labels: Readonly<Record<string, string>> | undefined,
): string | undefined {
  if (isFullyPrivileged(policy) || modes.every((mode) => sameStandard(policy[mode], defaults[mode]))) return undefined
  const isLabelled = (mode: Mode): boolean => labels?.[levelLabel(mode)] !== undefined || labels?.[versionLabel(mode)] !== undefined
  const asked = modes.filter((mode) => policy[mode].level !== 'privileged' && isLabelled(mode))
  return `namespace ${JSON.stringify(namespace)} is exempt from Pod Security, and the policy (${asked.map((mode) => `${mode}=${formatStandard(policy[mode])}`).join(', ')}) will be ignored`
}
