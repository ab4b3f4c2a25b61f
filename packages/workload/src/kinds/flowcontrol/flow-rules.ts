import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { NonResourcePolicyRule, PolicyRulesWithSubjects, ResourcePolicyRule, Subject } from '../../generated/types/flowcontrol-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, isDnsLabel, isDnsSubdomain } from '../../rules/names.ts'

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const any = '*'

/** Whose requests for what a flow schema takes (`pkg/apis/flowcontrol/validation`). */
export function checkFlowRules(rule: DeepReadonly<PolicyRulesWithSubjects>, path: string, errors: FieldError[]): void {
  if ((rule.subjects ?? []).length === 0) errors.push(fieldError.required(`${path}.subjects`, 'subjects must contain at least one value'))
  each(rule.subjects, `${path}.subjects`, (subject, at) => checkSubject(subject, at, errors))
  if ((rule.resourceRules?.length ?? 0) === 0 && (rule.nonResourceRules?.length ?? 0) === 0)
    errors.push(fieldError.required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  each(rule.resourceRules, `${path}.resourceRules`, (one, at) => checkResourceRule(one, at, errors))
  each(rule.nonResourceRules, `${path}.nonResourceRules`, (one, at) => checkNonResourceRule(one, at, errors))
}

/** The field that each kind of subject is named by. */
const subjectFields = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function checkSubject(subject: DeepReadonly<Subject>, path: string, errors: FieldError[]): void {
  if (!Object.hasOwn(subjectFields, subject.kind)) {
    errors.push(fieldError.notSupported(`${path}.kind`, subject.kind, ['Group', 'ServiceAccount', 'User']))
    return
  }
  for (const [kind, field] of Object.entries(subjectFields)) {
    const named = subject[field]
    if (kind !== subject.kind) {
      if (named !== undefined)
        errors.push(fieldError.forbidden(`${path}.${field}`, `${field} is forbidden when subject kind is not '${kind}'`))
    } else if (named === undefined)
      errors.push(fieldError.required(`${path}.${field}`, `${field} is required when subject kind is '${kind}'`))
    else if (!named.name) errors.push(fieldError.required(`${path}.${field}.name`))
  }
  const { serviceAccount } = subject
  if (subject.kind !== 'ServiceAccount' || serviceAccount === undefined) return
  if (serviceAccount.name && serviceAccount.name !== any)
    checkName(isDnsSubdomain, serviceAccount.name, `${path}.serviceAccount.name`, errors)
  if (!serviceAccount.namespace)
    errors.push(fieldError.required(`${path}.serviceAccount.namespace`, 'must specify namespace for service account'))
  else checkName(isDnsLabel, serviceAccount.namespace, `${path}.serviceAccount.namespace`, errors)
}

/** A list that is not empty, and in which the wildcard stands alone. True when each item is still to be checked. */
function checkWild(
  list: readonly string[] | undefined,
  path: string,
  words: { readonly empty: string; readonly others: string },
  errors: FieldError[],
): boolean {
  const given = list ?? []
  if (given.length === 0) errors.push(fieldError.required(path, words.empty))
  else if (given.length > 1 && given.includes(any))
    errors.push(fieldError.invalid(path, given, `if '*' is present, must not specify other ${words.others}`))
  return given.length > 0 && !given.includes(any)
}

function checkVerbs(given: readonly string[] | undefined, path: string, errors: FieldError[]): void {
  const known = checkWild(given, path, { empty: 'verbs must contain at least one value', others: 'verbs' }, errors)
  if (known && given?.some((verb) => !verbs.includes(verb))) errors.push(fieldError.notSupported(path, given, verbs))
}

function checkResourceRule(rule: DeepReadonly<ResourcePolicyRule>, path: string, errors: FieldError[]): void {
  checkVerbs(rule.verbs, `${path}.verbs`, errors)
  checkWild(
    rule.apiGroups,
    `${path}.apiGroups`,
    { empty: 'resource rules must supply at least one api group', others: 'api groups' },
    errors,
  )
  checkWild(rule.resources, `${path}.resources`, { empty: 'resource rules must supply at least one resource', others: 'resources' }, errors)
  const at = `${path}.namespaces`
  if ((rule.namespaces?.length ?? 0) === 0 && rule.clusterScope === true) return
  const named = checkWild(
    rule.namespaces,
    at,
    { empty: 'resource rules that are not cluster scoped must supply at least one namespace', others: 'namespaces' },
    errors,
  )
  if (named)
    each(rule.namespaces, at, (namespace, one) => {
      for (const fault of isDnsLabel(namespace))
        errors.push(fieldError.invalid(one, namespace, `each member of this list must be '*' or a DNS-1123 label; ${fault}`))
    })
}

function checkNonResourceRule(rule: DeepReadonly<NonResourcePolicyRule>, path: string, errors: FieldError[]): void {
  checkVerbs(rule.verbs, `${path}.verbs`, errors)
  const at = `${path}.nonResourceURLs`
  const named = checkWild(
    rule.nonResourceURLs,
    at,
    { empty: 'nonResourceURLs must contain at least one value', others: 'non-resource URLs' },
    errors,
  )
  if (named)
    each(rule.nonResourceURLs, at, (url, one) => {
      const fault = urlFault(url)
      if (fault !== undefined) errors.push(fieldError.invalid(one, url, fault))
    })
}

function urlFault(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  return url.includes(any) && url.indexOf('/*') !== url.length - 2 ? 'wildcard can only do suffix matching' : undefined
}
