import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { PodDNSConfig, PodResourceClaim, PodSpec } from '../generated/types/core-v1.ts'
import { each } from '../rules/each.ts'
import { checkName, checkRequiredName, isDnsLabel, isDnsSubdomain } from '../rules/names.ts'
import { checkAddress, checkOneOf } from '../rules/values.ts'

const maxNameservers = 3
const maxSearches = 32
const maxSearchCharacters = 2_048

/** What a pod takes from, or shares with, what is around its containers: the host, names, devices. */
export function checkSurroundings(spec: DeepReadonly<PodSpec>, path: string, errors: FieldError[]): void {
  checkHost(spec, path, errors)
  if (spec.os !== undefined) checkOneOf(spec.os.name, ['linux', 'windows'], `${path}.os.name`, errors)
  checkOneOf(spec.preemptionPolicy, ['Never', 'PreemptLowerPriority'], `${path}.preemptionPolicy`, errors, false)
  if (spec.dnsConfig !== undefined) checkDns(spec.dnsConfig, `${path}.dnsConfig`, errors)
  const names = new Set<string>()
  each(spec.resourceClaims, `${path}.resourceClaims`, (claim, at) => {
    checkClaim(claim, at, errors)
    if (names.has(claim.name)) errors.push(fieldError.duplicate(`${at}.name`, claim.name))
    names.add(claim.name)
  })
}

function checkHost(spec: DeepReadonly<PodSpec>, path: string, errors: FieldError[]): void {
  if (spec.shareProcessNamespace === true && spec.hostPID === true)
    errors.push(fieldError.invalid(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'))
  if (spec.hostUsers === false)
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const)
      if (spec[field] === true) errors.push(fieldError.forbidden(`${path}.${field}`, 'when `hostUsers` is false'))
  if (spec.hostNetwork !== true) return
  for (const role of ['containers', 'initContainers'] as const)
    each(spec[role], `${path}.${role}`, ({ ports }, container) =>
      each(ports, `${container}.ports`, ({ containerPort, hostPort }, at) => {
        if (hostPort && hostPort !== containerPort)
          errors.push(fieldError.invalid(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true'))
      }),
    )
}

function checkDns({ nameservers = [], searches = [], options }: DeepReadonly<PodDNSConfig>, path: string, errors: FieldError[]): void {
  if (nameservers.length > maxNameservers)
    errors.push(fieldError.invalid(`${path}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`))
  each(nameservers, `${path}.nameservers`, (address, at) => checkAddress(address, at, errors))
  if (searches.length > maxSearches)
    errors.push(fieldError.invalid(`${path}.searches`, searches, `must not have more than ${maxSearches} search paths`))
  if (searches.join(' ').length > maxSearchCharacters)
    errors.push(
      fieldError.invalid(
        `${path}.searches`,
        searches,
        `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`,
      ),
    )
  each(searches, `${path}.searches`, (search, at) => {
    if (search !== '.') checkName(isDnsSubdomain, search.replace(/\.$/, ''), at, errors)
  })
  each(options, `${path}.options`, ({ name }, at) => {
    if (!name) errors.push(fieldError.required(at, 'must not be empty'))
  })
}

function checkClaim(
  { name, resourceClaimName: claim, resourceClaimTemplateName: template }: DeepReadonly<PodResourceClaim>,
  path: string,
  errors: FieldError[],
): void {
  checkRequiredName(isDnsLabel, name, `${path}.name`, errors)
  if (claim !== undefined && template !== undefined)
    errors.push(fieldError.invalid(path, '', 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'))
  else if (claim === undefined && template === undefined)
    errors.push(fieldError.invalid(path, '', 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
  if (claim !== undefined) checkName(isDnsSubdomain, claim, `${path}.resourceClaimName`, errors)
  if (template !== undefined) checkName(isDnsSubdomain, template, `${path}.resourceClaimTemplateName`, errors)
}
