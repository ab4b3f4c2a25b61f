import { type DeepReadonly, type FieldError, fieldError, pathSegmentFaults } from '@continuo/core'
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from '../../generated/types/admissionregistration-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, isQualifiedName } from '../../rules/names.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'
import { checkOneOf } from '../../rules/values.ts'

export const allOperations: readonly string[] = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
export const failurePolicies: readonly string[] = ['Fail', 'Ignore']
const matchPolicies: readonly string[] = ['Equivalent', 'Exact']
const scopes: readonly string[] = ['*', 'Cluster', 'Namespaced']
const maxConditions = 64

/** What webhooks and policies have in common to choose requests by. */
interface Matching {
  matchPolicy?: MatchResources['matchPolicy']
  namespaceSelector?: MatchResources['namespaceSelector']
  objectSelector?: MatchResources['objectSelector']
}

/** Absent selectors select everything, and other versions of a resource are matched too. Changes `matching`. */
export function defaultMatching(matching: Matching, rules: readonly (RuleWithOperations[] | undefined)[]): void {
  matching.matchPolicy ??= 'Equivalent'
  matching.namespaceSelector ??= {}
  matching.objectSelector ??= {}
  for (const list of rules) for (const rule of list ?? []) rule.scope ??= '*'
}

/** {@link defaultMatching} for a policy or a binding that has such constraints. */
export const defaultMatchResources = (resources: MatchResources | undefined): void => {
  if (resources !== undefined) defaultMatching(resources, [resources.resourceRules, resources.excludeResourceRules])
}

export function checkMatching(
  { matchPolicy, namespaceSelector, objectSelector }: DeepReadonly<Matching>,
  path: string,
  errors: FieldError[],
): void {
  checkOneOf(matchPolicy, matchPolicies, `${path}.matchPolicy`, errors)
  checkLabelSelector(namespaceSelector, `${path}.namespaceSelector`, errors)
  checkLabelSelector(objectSelector, `${path}.objectSelector`, errors)
}

export function checkMatchResources(
  resources: DeepReadonly<MatchResources> | undefined,
  path: string,
  errors: FieldError[],
  operations = allOperations,
): void {
  if (resources === undefined) return
  checkMatching(resources, path, errors)
  for (const list of ['resourceRules', 'excludeResourceRules'] as const)
    each(resources[list], `${path}.${list}`, (rule, at) => checkNamedRule(rule, at, errors, operations))
}

function checkNamedRule(
  rule: DeepReadonly<NamedRuleWithOperations>,
  path: string,
  errors: FieldError[],
  operations: readonly string[],
): void {
  each(rule.resourceNames, `${path}.resourceNames`, (name, at) => {
    checkName((text) => pathSegmentFaults(text), name, at, errors)
    if (rule.resourceNames?.indexOf(name) !== Number(at.slice(at.lastIndexOf('[') + 1, -1))) errors.push(fieldError.duplicate(at, name))
  })
  checkRule(rule, path, errors, operations)
}

/** Operations, groups, versions, resources and scope of one rule. */
export function checkRule(rule: DeepReadonly<RuleWithOperations>, path: string, errors: FieldError[], operations = allOperations): void {
  checkWildcard(rule.operations, `${path}.operations`, 'operations', errors)
  each(rule.operations, `${path}.operations`, (operation, at) => checkOneOf(operation, operations, at, errors))
  checkWildcard(rule.apiGroups, `${path}.apiGroups`, 'API groups', errors)
  checkWildcard(rule.apiVersions, `${path}.apiVersions`, 'API versions', errors)
  each(rule.apiVersions, `${path}.apiVersions`, (version, at) => {
    if (version === '') errors.push(fieldError.required(at))
  })
  checkResources(rule.resources ?? [], `${path}.resources`, errors)
  checkOneOf(rule.scope, scopes, `${path}.scope`, errors, false)
}

function checkWildcard(values: readonly string[] | undefined, path: string, what: string, errors: FieldError[]): void {
  if (values === undefined || values.length === 0) errors.push(fieldError.required(path))
  else if (values.length > 1 && values.includes('*'))
    errors.push(fieldError.invalid(path, values, `if '*' is present, must not specify other ${what}`))
}

/** `pods`, `pods/status`, `pods/*`, `*`, `*\/scale`, `*\/*`: none may say again what a wildcard before it has said. */
function checkResources(resources: readonly string[], path: string, errors: FieldError[]): void {
  if (resources.length === 0) errors.push(fieldError.required(path))
  const allSubresourcesOf = new Set<string>()
  const ofAllResources = new Set<string>()
  each(resources, path, (entry, at) => {
    if (entry === '') errors.push(fieldError.required(at))
    const slash = entry.indexOf('/')
    if (slash < 0) return
    const [resource, subresource] = [entry.slice(0, slash), entry.slice(slash + 1)]
    if (allSubresourcesOf.has(resource))
      errors.push(fieldError.invalid(at, entry, `if '${resource}/*' is present, must not specify ${entry}`))
    if (ofAllResources.has(subresource))
      errors.push(fieldError.invalid(at, entry, `if '*/${subresource}' is present, must not specify ${entry}`))
    if (subresource === '*') allSubresourcesOf.add(resource)
    if (resource === '*') ofAllResources.add(subresource)
  })
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(fieldError.invalid(path, resources, "if '*/*' is present, must not specify other resources"))
  if (resources.includes('*') && resources.some((entry) => entry !== '*' && entry !== '' && !entry.includes('/')))
    errors.push(fieldError.invalid(path, resources, "if '*' is present, must not specify other resources without subresources"))
}

/** Names and presence of match conditions. What their expressions mean is for the plugin to check that evaluates them. */
export function checkMatchConditions(conditions: DeepReadonly<MatchCondition[]> | undefined, path: string, errors: FieldError[]): void {
  if ((conditions?.length ?? 0) > maxConditions) errors.push(fieldError.tooMany(path, conditions?.length ?? 0, maxConditions))
  const names = new Set<string>()
  each(conditions, path, ({ name, expression }, at) => {
    if ((expression ?? '').trim() === '') errors.push(fieldError.required(`${at}.expression`))
    if (!name) errors.push(fieldError.required(`${at}.name`))
    else {
      checkName(isQualifiedName, name, `${at}.name`, errors)
      if (names.has(name)) errors.push(fieldError.duplicate(`${at}.name`, name))
      names.add(name)
    }
  })
}
