import type { UserInfo } from '@continuo/core'
import type { AccessRule, AccessRules, SubjectRulesReviewStatus } from '@continuo/workload'
import { mastersGroup } from '../policy/subjects.ts'

const everything: readonly AccessRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/** What a user may do in a namespace, as far as authorizers can list it. `incomplete` tells that one of them cannot. Pure. */
export function rulesStatus(
  user: UserInfo,
  namespace: string,
  sources: Iterable<readonly [string, AccessRules]>,
  authorizers: readonly string[],
): SubjectRulesReviewStatus {
  const rules: AccessRule[] = user.groups?.includes(mastersGroup) === true ? [...everything] : []
  const errors: string[] = []
  const listed = new Set<string>()
  for (const [key, source] of sources) {
    listed.add(key)
    const found = source.rulesFor(user, namespace)
    rules.push(...found.rules)
    errors.push(...found.errors)
  }
  for (const key of authorizers) if (!listed.has(key)) errors.push(`${key} authorizer does not support user rule resolution`)
  return {
    resourceRules: rules.flatMap(({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }) =>
      (nonResourceURLs ?? []).length > 0
        ? []
        : [
            {
              verbs: [...verbs],
              apiGroups: [...(apiGroups ?? [])],
              resources: [...(resources ?? [])],
              ...(resourceNames === undefined ? {} : { resourceNames: [...resourceNames] }),
            },
          ],
    ),
    nonResourceRules: rules.flatMap(({ verbs, nonResourceURLs }) =>
      (nonResourceURLs ?? []).length > 0 ? [{ verbs: [...verbs], nonResourceURLs: [...(nonResourceURLs ?? [])] }] : [],
    ),
    incomplete: errors.length > 0,
    ...(errors.length === 0 ? {} : { evaluationError: errors.join(', ') }),
  }
}
