import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { PolicyRule, RoleRef, Subject } from '../../generated/types/rbac-v1.ts'
import { checkName, isDnsSubdomain } from '../../rules/names.ts'
import { checkOneOf } from '../../rules/values.ts'

export const rbacGroup = 'rbac.authorization.k8s.io'

/** The rules of a role (`pkg/apis/rbac/validation`). Paths that are no resources belong to cluster roles alone. */
export function checkPolicyRules(rules: DeepReadonly<PolicyRule[]> | undefined, namespaced: boolean, errors: FieldError[]): void {
  rules?.forEach((rule, index) => {
    const path = `rules[${index}]`
    if ((rule.verbs ?? []).length === 0) errors.push(fieldError.required(`${path}.verbs`, 'verbs must contain at least one value'))
    if ((rule.nonResourceURLs?.length ?? 0) > 0) {
      if (namespaced)
        errors.push(
          fieldError.invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'),
        )
      if ((rule.apiGroups?.length ?? 0) > 0 || (rule.resources?.length ?? 0) > 0 || (rule.resourceNames?.length ?? 0) > 0)
        errors.push(
          fieldError.invalid(
            `${path}.nonResourceURLs`,
            rule.nonResourceURLs,
            'rules cannot apply to both regular resources and non-resource URLs',
          ),
        )
      return
    }
    if ((rule.apiGroups?.length ?? 0) === 0)
      errors.push(fieldError.required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
    if ((rule.resources?.length ?? 0) === 0)
      errors.push(fieldError.required(`${path}.resources`, 'resource rules must supply at least one resource'))
  })
}

/** The groups that bindings leave out. */
export function defaultBinding({ roleRef, subjects }: { roleRef?: RoleRef; subjects?: Subject[] }): void {
  if (roleRef !== undefined) roleRef.apiGroup ||= rbacGroup
  for (const subject of subjects ?? []) if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup
}

/** Whom a binding gives what. */
export function checkBinding(
  { roleRef, subjects }: DeepReadonly<{ roleRef?: RoleRef; subjects?: Subject[] }>,
  kinds: readonly string[],
  namespaced: boolean,
  errors: FieldError[],
): void {
  if (roleRef?.apiGroup !== rbacGroup) errors.push(fieldError.notSupported('roleRef.apiGroup', roleRef?.apiGroup, [rbacGroup]))
  checkOneOf(roleRef?.kind, kinds, 'roleRef.kind', errors)
  if (!roleRef?.name) errors.push(fieldError.required('roleRef.name'))
  subjects?.forEach((subject, index) => {
    const path = `subjects[${index}]`
    if (!subject.name) errors.push(fieldError.required(`${path}.name`))
    checkOneOf(subject.kind, ['ServiceAccount', 'User', 'Group'], `${path}.kind`, errors)
    if (subject.kind !== 'ServiceAccount') return
    if (subject.name) checkName(isDnsSubdomain, subject.name, `${path}.name`, errors)
    if (subject.apiGroup) errors.push(fieldError.notSupported(`${path}.apiGroup`, subject.apiGroup, ['']))
    if (!namespaced && !subject.namespace) errors.push(fieldError.required(`${path}.namespace`))
  })
}

/** The names of the subjects of one kind. */
export const subjectNames = (subjects: DeepReadonly<Subject[]> | undefined, kind: string): string =>
  (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map((subject) => (kind === 'ServiceAccount' ? `${subject.namespace ?? ''}/${subject.name}` : subject.name))
    .join(', ')
