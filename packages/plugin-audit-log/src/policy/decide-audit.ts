import type { AuditedRequest } from '@continuo/workload'
import type { AuditLevel, AuditPolicy, AuditRule, AuditStage } from './policy.ts'

/** What is told about a request. */
export interface AuditDecision {
  readonly level: AuditLevel
  readonly omitStages: ReadonlySet<AuditStage>
  readonly omitManagedFields: boolean
}

const nothing: AuditDecision = { level: 'None', omitStages: new Set(), omitManagedFields: false }

/** Prepares a policy: the function that it gives back is called for each request. Pure. */
export function compilePolicy(policy: AuditPolicy): (request: AuditedRequest) => AuditDecision {
  const rules = policy.rules.map((rule) => ({
    rule,
    decision: {
      level: rule.level,
      omitStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
      omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
    },
  }))
  return (request) => rules.find(({ rule }) => matches(rule, request))?.decision ?? nothing
}

const has = (wanted: readonly string[] | undefined, value: string): boolean =>
  wanted === undefined || wanted.length === 0 || wanted.includes(value)

function matches(rule: AuditRule, { user, verb, path }: AuditedRequest): boolean {
  if (rule.users?.length && (user === undefined || !rule.users.includes(user.username))) return false
  if (rule.userGroups?.length && !user?.groups?.some((group) => rule.userGroups?.includes(group))) return false
  if (!has(rule.verbs, verb)) return false
  const isOfResources = (rule.resources?.length ?? 0) + (rule.namespaces?.length ?? 0) > 0
  const isOfUrls = (rule.nonResourceURLs?.length ?? 0) > 0
  if (path.isResource) return isOfResources ? matchesResource(rule, path) : !isOfUrls
  return isOfUrls ? (rule.nonResourceURLs ?? []).some((url) => matchesUrl(url, `/${path.segments.join('/')}`)) : !isOfResources
}

const matchesUrl = (url: string, path: string): boolean => (url.endsWith('*') ? path.startsWith(url.slice(0, -1)) : url === path)

function matchesResource(rule: AuditRule, path: Extract<AuditedRequest['path'], { isResource: true }>): boolean {
  if (!has(rule.namespaces, path.namespace)) return false
  if (rule.resources === undefined || rule.resources.length === 0) return true
  const combined = path.subresource === '' ? path.resource : `${path.resource}/${path.subresource}`
  return rule.resources.some(
    ({ group = '', resources = [], resourceNames }) =>
      group === path.group &&
      (resources.length === 0 || resources.some((one) => matchesName(one, path.resource, path.subresource, combined))) &&
      has(resourceNames, path.name),
  )
}

/** `pods` is the pods alone, `pods/log` that subresource, `pods/*` every subresource, `*` before a slash any resource, `*` all. */
const matchesName = (one: string, resource: string, subresource: string, combined: string): boolean =>
  one === '*' || one === combined || (subresource !== '' && (one === `${resource}/*` || one === `*/${subresource}`))
