import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { DeviceClaim, DeviceRequest, ExactDeviceRequest, ResourceClaimSpec } from '../../generated/types/resource-v1.ts'
import { checkName, checkRequiredName, isDnsLabel, isDnsSubdomain } from '../../rules/names.ts'
import { checkOpaque, checkSelectors, checkTolerations, expressionsOf } from './check-configuration.ts'
import { limits } from './limits.ts'
import { checkItems, checkSet } from './lists.ts'
import { checkFullName } from './names.ts'

/** Defaults of the requests of a claim (`pkg/apis/resource/v1/defaults.go`). */
export function defaultClaim(spec: ResourceClaimSpec | undefined): void {
  for (const { exactly, firstAvailable } of spec?.devices?.requests ?? [])
    for (const request of [...(exactly === undefined ? [] : [exactly]), ...(firstAvailable ?? [])]) {
      request.allocationMode ||= 'ExactCount'
      if (request.allocationMode === 'ExactCount') request.count ||= 1
      for (const toleration of request.tolerations ?? []) toleration.operator ||= 'Equal'
    }
}

/** Every expression of a claim. */
const expressionsIn = (spec: DeepReadonly<ResourceClaimSpec> | undefined): string[] =>
  (spec?.devices?.requests ?? []).flatMap(({ exactly, firstAvailable }) =>
    [...(exactly === undefined ? [] : [exactly]), ...(firstAvailable ?? [])].flatMap(({ selectors }) => expressionsOf(selectors)),
  )

/** What a claim asks for; `old` is what an update replaces. */
export function checkClaim(
  spec: DeepReadonly<ResourceClaimSpec> | undefined,
  path: string,
  errors: FieldError[],
  old: DeepReadonly<ResourceClaimSpec> | undefined,
): void {
  const known = new Set(expressionsIn(old))
  const { requests, constraints, config } = spec?.devices ?? {}
  const at = `${path}.devices`
  const names = requestNames(spec?.devices)
  checkSet(
    requests,
    limits.requests,
    `${at}.requests`,
    errors,
    ({ name }) => name,
    (request, one) => checkRequest(request, one, errors, known),
  )
  checkItems(constraints, limits.constraints, `${at}.constraints`, errors, (constraint, one) => {
    checkReferences(constraint.requests, names, `${one}.requests`, errors)
    const { matchAttribute, distinctAttribute } = constraint
    if (matchAttribute !== undefined) checkFullName(matchAttribute, `${one}.matchAttribute`, errors)
    else if (distinctAttribute !== undefined) checkFullName(distinctAttribute, `${one}.distinctAttribute`, errors)
    else errors.push(fieldError.required(`${one}.matchAttribute`))
  })
  checkItems(config, limits.configurations, `${at}.config`, errors, (one, place) => {
    checkReferences(one.requests, names, `${place}.requests`, errors)
    checkOpaque(one.opaque, `${place}.opaque`, errors)
  })
}

/** Names by which the rest of a claim may speak of its requests: `name`, and `name/alternative`. */
export const requestNames = (claim: DeepReadonly<DeviceClaim> | undefined): ReadonlySet<string> =>
  new Set(
    (claim?.requests ?? []).flatMap(({ name, firstAvailable }) => [name, ...(firstAvailable ?? []).map((one) => `${name}/${one.name}`)]),
  )

export function checkReference(name: string, names: ReadonlySet<string>, path: string, errors: FieldError[]): void {
  for (const part of name.split('/')) checkName(isDnsLabel, part, path, errors)
  if (!names.has(name))
    errors.push(
      fieldError.invalid(
        path,
        name,
        "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
      ),
    )
}

export const checkReferences = (
  references: DeepReadonly<string[]> | undefined,
  names: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void =>
  checkSet(
    references,
    limits.requests,
    path,
    errors,
    (name) => name,
    (name, at) => checkReference(name, names, at, errors),
  )

function checkRequest(
  { name, exactly, firstAvailable = [] }: DeepReadonly<DeviceRequest>,
  path: string,
  errors: FieldError[],
  known: ReadonlySet<string>,
): void {
  checkRequiredName(isDnsLabel, name, `${path}.name`, errors)
  const words = 'exactly one of `exactly` or `firstAvailable` is required'
  if (exactly === undefined && firstAvailable.length === 0) errors.push(fieldError.required(path, words))
  else if (exactly !== undefined && firstAvailable.length > 0)
    errors.push(fieldError.invalid(path, null, `${words}, but multiple fields are set`))
  else if (exactly !== undefined) checkWanted(exactly, `${path}.exactly`, errors, known)
  else
    checkSet(
      firstAvailable,
      limits.alternatives,
      `${path}.firstAvailable`,
      errors,
      (one) => one.name,
      (one, at) => {
        checkRequiredName(isDnsLabel, one.name, `${at}.name`, errors)
        checkWanted(one, at, errors, known)
      },
    )
}

function checkWanted(wanted: DeepReadonly<ExactDeviceRequest>, path: string, errors: FieldError[], known: ReadonlySet<string>): void {
  checkRequiredName(isDnsSubdomain, wanted.deviceClassName, `${path}.deviceClassName`, errors)
  checkSelectors(wanted.selectors, `${path}.selectors`, errors, known)
  const { allocationMode: mode, count = 0 } = wanted
  if (mode === 'All') {
    if (count !== 0) errors.push(fieldError.invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"))
  } else if (mode !== 'ExactCount') errors.push(fieldError.notSupported(`${path}.allocationMode`, mode, ['All', 'ExactCount']))
  else if (count <= 0) errors.push(fieldError.invalid(`${path}.count`, count, 'must be greater than zero'))
  checkTolerations(wanted.tolerations, `${path}.tolerations`, errors)
}
