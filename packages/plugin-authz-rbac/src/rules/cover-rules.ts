import type { DeepReadonly } from '@continuo/core'
import type { AccessRule } from '@continuo/workload'

type Rule = DeepReadonly<AccessRule>
type Values = readonly string[]

const list = (values: Values | undefined): Values => values ?? []

const coversAll = (owner: Values, wanted: Values): boolean => owner.includes('*') || wanted.every((value) => owner.includes(value))

const coversResources = (owner: Values, wanted: Values): boolean =>
  owner.includes('*') ||
  wanted.every((resource) => {
    if (owner.includes(resource)) return true
    const slash = resource.indexOf('/')
    return slash >= 0 && owner.includes(`*${resource.slice(slash)}`)
  })

const coversUrls = (owner: Values, wanted: Values): boolean =>
  wanted.every((url) => owner.some((own) => own === url || (own.endsWith('*') && url.startsWith(own.replace(/\*+$/, '')))))

function covers(owner: Rule, wanted: Rule): boolean {
  const names = list(wanted.resourceNames)
  const ownNames = list(owner.resourceNames)
  return (
    coversAll(list(owner.verbs), list(wanted.verbs)) &&
    coversAll(list(owner.apiGroups), list(wanted.apiGroups)) &&
    coversResources(list(owner.resources), list(wanted.resources)) &&
    coversUrls(list(owner.nonResourceURLs), list(wanted.nonResourceURLs)) &&
    (ownNames.length === 0 || (names.length > 0 && names.every((name) => ownNames.includes(name))))
  )
}

/** A rule as rules of one verb, group, resource and name each, or one verb and URL each. */
export function breakDown(rule: Rule): readonly AccessRule[] {
  const names = list(rule.resourceNames)
  return list(rule.verbs).flatMap((verb) => [
    ...list(rule.apiGroups).flatMap((group) =>
      list(rule.resources).flatMap((resource): AccessRule[] => {
        const simple = { verbs: [verb], apiGroups: [group], resources: [resource] }
        return names.length === 0 ? [simple] : names.map((name) => ({ ...simple, resourceNames: [name] }))
      }),
    ),
    ...list(rule.nonResourceURLs).map((url): AccessRule => ({ verbs: [verb], nonResourceURLs: [url] })),
  ])
}

/** What `wanted` gives and `owned` does not, broken down; empty when everything is covered. Pure. */
export const missingRules = (owned: readonly Rule[], wanted: readonly Rule[]): readonly AccessRule[] =>
  wanted
    .filter((rule) => !owned.some((own) => covers(own, rule)))
    .flatMap((rule) => breakDown(rule).filter((simple) => !owned.some((own) => covers(own, simple))))

/** Rules that differ by their verbs alone become one; the order of first appearance is kept. */
export function compactRules(rules: readonly AccessRule[]): readonly AccessRule[] {
  const merged = new Map<string, AccessRule>()
  for (const { verbs, ...rest } of rules) {
    const key = JSON.stringify([rest.apiGroups, rest.resources, rest.resourceNames, rest.nonResourceURLs])
    const known = merged.get(key)
    merged.set(key, { ...rest, verbs: known === undefined ? verbs : [...new Set([...known.verbs, ...verbs])] })
  }
  return [...merged.values()]
}

const quoted = (values: Values): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`

/** A rule as Kubernetes' refusals show it: `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}`. */
export function describeRule(rule: Rule): string {
  const parts: readonly (readonly [string, Values | undefined])[] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ]
  return `{${parts
    .filter(([, values]) => list(values).length > 0)
    .map(([name, values]) => `${name}:${quoted(list(values))}`)
    .join(', ')}}`
}
