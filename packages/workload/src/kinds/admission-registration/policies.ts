import { type DeepReadonly, type FieldError, fieldError, pathSegmentFaults } from '@continuo/core'
import type { ParamKind, ParamRef, Variable } from '../../generated/types/admissionregistration-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, checkRequiredName, isDns1035Label, isDnsSubdomain } from '../../rules/names.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'
import { checkOneOf } from '../../rules/values.ts'
import { selectorCell } from '../../table/selectors.ts'

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)

/** The kind of a policy's parameters. */
export function checkParamKind(paramKind: DeepReadonly<ParamKind> | undefined, path: string, errors: FieldError[]): void {
  if (paramKind === undefined) return
  const { apiVersion = '', kind = '' } = paramKind
  const parts = apiVersion.split('/')
  if (apiVersion === '') errors.push(fieldError.required(`${path}.apiVersion`))
  else if (parts.length > 2)
    errors.push(fieldError.invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  else {
    const [group, version] = parts.length === 1 ? ['', parts[0] as string] : (parts as [string, string])
    if (group !== '') checkName(isDnsSubdomain, group, `${path}.apiVersion`, errors)
    if (version === '') errors.push(fieldError.invalid(`${path}.apiVersion`, apiVersion, 'version must be specified'))
    else checkName(isDns1035Label, version, `${path}.apiVersion`, errors)
  }
  if (kind === '') errors.push(fieldError.required(`${path}.kind`))
  else
    for (const fault of isDns1035Label(kind.toLowerCase()))
      errors.push(fieldError.invalid(`${path}.kind`, kind, `may have mixed case, but should otherwise match: ${fault}`))
}

/** Names of variables; what their expressions mean is for the plugin to check that evaluates them. */
export function checkVariables(variables: DeepReadonly<Variable[]> | undefined, path: string, errors: FieldError[]): void {
  each(variables, path, ({ name, expression }, at) => {
    if ((name ?? '').trim() === '') errors.push(fieldError.required(`${at}.name`, 'name is not specified'))
    else if (!identifier.test(name) || reserved.has(name))
      errors.push(fieldError.invalid(`${at}.name`, name, 'name is not a valid CEL identifier'))
    if ((expression ?? '').trim() === '') errors.push(fieldError.required(`${at}.expression`, 'expression is not specified'))
  })
}

/** What the bindings of both kinds of policies share. */
export function checkBinding(spec: DeepReadonly<{ policyName?: string; paramRef?: ParamRef }> | undefined, errors: FieldError[]): void {
  checkRequiredName(isDnsSubdomain, spec?.policyName, 'spec.policyName', errors)
  const paramRef = spec?.paramRef
  if (paramRef === undefined) return
  const path = 'spec.paramRef'
  const { name, selector, parameterNotFoundAction } = paramRef
  if (name) {
    checkName((text) => pathSegmentFaults(text), name, `${path}.name`, errors)
    if (selector !== undefined) errors.push(fieldError.forbidden(`${path}.name`, 'name and selector are mutually exclusive'))
  }
  if (selector !== undefined) {
    checkLabelSelector(selector, `${path}.selector`, errors)
    if (name) errors.push(fieldError.forbidden(`${path}.selector`, 'name and selector are mutually exclusive'))
  }
  if (!name && selector === undefined) errors.push(fieldError.required(path, 'one of name or selector must be specified'))
  checkOneOf(parameterNotFoundAction, ['Deny', 'Allow'], `${path}.parameterNotFoundAction`, errors)
}

export const paramKindCell = (paramKind: DeepReadonly<ParamKind> | undefined): string =>
  paramKind === undefined ? '<unset>' : `${paramKind.apiVersion}/${paramKind.kind}`

/** Whether parameters without a namespace are cluster-scoped cannot be told from here. */
export const paramRefCell = (paramRef: DeepReadonly<ParamRef> | undefined): string => {
  if (paramRef?.name) return `${paramRef.namespace || '*'}/${paramRef.name}`
  return paramRef?.selector === undefined ? '<unset>' : selectorCell(paramRef.selector)
}
