import type { DeepReadonly, UserInfo } from '@continuo/core'
import type { FlowPath, FlowSchema } from '@continuo/workload'

type Rule = NonNullable<NonNullable<DeepReadonly<FlowSchema>['spec']>['rules']>[number]
type Subject = Rule['subjects'][number]
type Texts = readonly string[] | undefined

const has = (list: Texts, value: string): boolean => list !== undefined && (list.includes(value) || list.includes('*'))

const accountPrefix = 'system:serviceaccount:'

/** True when the subject is this user, one of its groups, or its service account. Pure. */
export function isSubject(subject: Subject, user: UserInfo): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.user !== undefined && (subject.user.name === '*' || subject.user.name === user.username)
    case 'Group':
      return (
        subject.group !== undefined &&
        (subject.group.name === '*' ? (user.groups?.length ?? 0) > 0 : user.groups?.includes(subject.group.name) === true)
      )
    case 'ServiceAccount': {
      const { namespace, name } = subject.serviceAccount ?? { namespace: '', name: '' }
      const prefix = `${accountPrefix}${namespace}:`
      return user.username.startsWith(prefix) && (name === '*' || user.username.slice(prefix.length) === name)
    }
    default:
      return false
  }
}

/** True when the rule speaks of this request; whose it is was looked at before. Pure. */
export function matchesRequest({ resourceRules, nonResourceRules }: Rule, verb: string, path: FlowPath): boolean {
  if (!path.isResource) {
    if (nonResourceRules === undefined) return false
    const url = `/${path.segments.join('/')}`
    return nonResourceRules.some(
      (rule) => has(rule.verbs, verb) && rule.nonResourceURLs?.some((pattern) => matchesUrl(pattern, url)) === true,
    )
  }
  const resource = path.subresource === '' ? path.resource : `${path.resource}/${path.subresource}`
  return (
    resourceRules?.some(
      (rule) =>
        has(rule.verbs, verb) &&
        has(rule.apiGroups, path.group) &&
        has(rule.resources, resource) &&
        (path.namespace === '' ? rule.clusterScope === true : has(rule.namespaces, path.namespace)),
    ) === true
  )
}

const matchesUrl = (pattern: string, url: string): boolean =>
  pattern === '*' || pattern === url || (pattern.endsWith('/*') && url.startsWith(pattern.slice(0, -1)))
