import type { DeepReadonly } from '@continuo/core'
import type { AccessAttributes, AccessRule } from '@continuo/workload'

type Rules = DeepReadonly<AccessRule[]>
type Values = DeepReadonly<string[]> | undefined

/** One rule made ready for many questions: sets instead of lists, `undefined` for "everything". */
interface ReadyRule {
  readonly verbs: ReadonlySet<string> | undefined
  readonly groups: ReadonlySet<string> | undefined
  readonly resources: ReadonlySet<string> | undefined
  readonly names: ReadonlySet<string> | undefined
}

interface ReadyUrls {
  readonly verbs: ReadonlySet<string> | undefined
  readonly exact: ReadonlySet<string>
  readonly prefixes: readonly string[]
}

/** The rules of one role, compiled once for each version of it. */
export interface ReadyRules {
  readonly resources: readonly ReadyRule[]
  readonly urls: readonly ReadyUrls[]
}

const orAll = (values: Values): ReadonlySet<string> | undefined => (values?.includes('*') === true ? undefined : new Set(values))

const readyRule = (rule: DeepReadonly<AccessRule>): ReadyRule => ({
  verbs: orAll(rule.verbs),
  groups: orAll(rule.apiGroups),
  resources: orAll(rule.resources),
  names: (rule.resourceNames ?? []).length === 0 ? undefined : new Set(rule.resourceNames),
})

const readyUrls = (rule: DeepReadonly<AccessRule>): ReadyUrls => {
  const urls = rule.nonResourceURLs ?? []
  return {
    verbs: orAll(rule.verbs),
    exact: new Set(urls),
    prefixes: urls.filter((url) => url.endsWith('*')).map((url) => url.replace(/\*+$/, '')),
  }
}

/** Prepares the rules of a role. */
export const readyRules = (rules: Rules | undefined): ReadyRules => ({
  resources: (rules ?? []).filter((rule) => (rule.resources ?? []).length > 0).map(readyRule),
  urls: (rules ?? []).filter((rule) => (rule.nonResourceURLs ?? []).length > 0).map(readyUrls),
})

// Roles are immutable as informers hand them out: a new version is a new object.
const compiled = new WeakMap<object, ReadyRules>()

/** The prepared rules of a role as an informer gives it. */
export function rulesOf(role: { readonly rules?: Rules }): ReadyRules {
  const known = compiled.get(role)
  if (known !== undefined) return known
  const made = readyRules(role.rules)
  compiled.set(role, made)
  return made
}

const holds = (set: ReadonlySet<string> | undefined, value: string): boolean => set === undefined || set.has(value)

function allowsResource(rule: ReadyRule, { verb, group, resource, subresource, name }: AccessAttributes): boolean {
  if (!holds(rule.verbs, verb) || !holds(rule.groups, group)) return false
  if (rule.names !== undefined && !rule.names.has(name)) return false
  if (rule.resources === undefined) return true
  if (subresource === '') return rule.resources.has(resource)
  return rule.resources.has(`${resource}/${subresource}`) || rule.resources.has(`*/${subresource}`)
}

const allowsUrl = (rule: ReadyUrls, { verb, path }: AccessAttributes): boolean =>
  holds(rule.verbs, verb) && (rule.exact.has(path) || rule.prefixes.some((prefix) => path.startsWith(prefix)))

/** Whether one of the rules allows the request. Pure. Rules only ever add: nothing in a rule can take away what another gives. */
export const allows = (rules: ReadyRules, attributes: AccessAttributes): boolean =>
  attributes.isResource
    ? rules.resources.some((rule) => allowsResource(rule, attributes))
    : rules.urls.some((rule) => allowsUrl(rule, attributes))
