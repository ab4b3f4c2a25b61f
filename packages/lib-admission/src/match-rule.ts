import type { AdmissionRequest, GroupVersionResource } from '@continuo/core'

/** Which operations on which resources somebody wants to hear of. `*` stands for any; `pods/*` are pods with all their subresources. */
export interface AdmissionRule {
  readonly operations?: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly apiVersions?: readonly string[]
  readonly resources?: readonly string[]
  readonly scope?: string
  /** Empty or absent: all names. */
  readonly resourceNames?: readonly string[]
}

/** What rules are held against. */
export interface RuleSubject {
  readonly operation: AdmissionRequest['operation']
  readonly resource: GroupVersionResource
  readonly subresource: string
  readonly namespace: string
  readonly name: string
}

const has = (values: readonly string[] | undefined, value: string): boolean =>
  values !== undefined && (values.includes('*') || values.includes(value))

/** Pure. */
export const matchesRule = (rule: AdmissionRule, subject: RuleSubject): boolean =>
  has(rule.operations, subject.operation) &&
  has(rule.apiGroups, subject.resource.group) &&
  has(rule.apiVersions, subject.resource.version) &&
  matchesScope(rule.scope, subject) &&
  (rule.resources ?? []).some((entry) => matchesResource(entry, subject)) &&
  ((rule.resourceNames ?? []).length === 0 || rule.resourceNames?.includes(subject.name) === true)

/** Namespaces themselves are of the cluster. */
function matchesScope(scope: string | undefined, { namespace, resource }: RuleSubject): boolean {
  if (scope === undefined || scope === '*') return true
  const inNamespace = namespace !== '' && !(resource.group === '' && resource.resource === 'namespaces')
  return inNamespace === (scope === 'Namespaced')
}

function matchesResource(entry: string, { resource, subresource }: RuleSubject): boolean {
  const slash = entry.indexOf('/')
  const [plural, sub] = slash < 0 ? [entry, ''] : [entry.slice(0, slash), entry.slice(slash + 1)]
  return (plural === '*' || plural === resource.resource) && (sub === '*' || sub === subresource)
}
