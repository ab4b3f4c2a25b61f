import { type DeepReadonly, type FieldError, fieldError, pathSegmentFaults } from '@continuo/core'
import type { HTTPIngressPath, IngressBackend, IngressRule, IngressTLS } from '../../generated/types/networking-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, checkRequiredName, isDns1035Label, isDnsSubdomain, isPortName, type NameRule } from '../../rules/names.ts'
import { addressFamily, checkPortNumber } from '../../rules/values.ts'

const isWildcard: NameRule = (name) =>
  name.startsWith('*.') && isDnsSubdomain(name.slice(2)).length === 0
    ? []
    : [
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ]

const checkHost = (host: string, path: string, errors: FieldError[]): void =>
  checkName(host.includes('*') ? isWildcard : isDnsSubdomain, host, path, errors)

/** What comes for a host, and where each of its paths goes. */
export function checkRule({ host, http }: DeepReadonly<IngressRule>, path: string, errors: FieldError[]): void {
  if (host) {
    if (addressFamily(host) !== undefined) errors.push(fieldError.invalid(`${path}.host`, host, 'must be a DNS name, not an IP address'))
    checkHost(host, `${path}.host`, errors)
  }
  if (http === undefined) return
  if ((http.paths ?? []).length === 0) errors.push(fieldError.required(`${path}.http.paths`))
  each(http.paths, `${path}.http.paths`, (entry, at) => checkPath(entry, at, errors))
}

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']
const forbiddenParts = ['//', '/./', '/../', '%2f', '%2F']
const forbiddenEnds = ['/..', '/.']

function checkPath({ path: text = '', pathType, backend }: DeepReadonly<HTTPIngressPath>, path: string, errors: FieldError[]): void {
  if (!pathType) {
    errors.push(fieldError.required(`${path}.pathType`, 'pathType must be specified'))
    return
  }
  if (!pathTypes.includes(pathType)) errors.push(fieldError.notSupported(`${path}.pathType`, pathType, pathTypes))
  else if (pathType === 'ImplementationSpecific') {
    if (text !== '' && !text.startsWith('/')) errors.push(fieldError.invalid(`${path}.path`, text, 'must be an absolute path'))
  } else {
    if (!text.startsWith('/')) errors.push(fieldError.invalid(`${path}.path`, text, 'must be an absolute path'))
    for (const part of forbiddenParts.filter((one) => text.includes(one)))
      errors.push(fieldError.invalid(`${path}.path`, text, `must not contain '${part}'`))
    for (const end of forbiddenEnds.filter((one) => text.endsWith(one)))
      errors.push(fieldError.invalid(`${path}.path`, text, `cannot end with '${end}'`))
  }
  checkBackend(backend, `${path}.backend`, errors)
}

/** Where requests go: to a port of a service, or to another object. */
export function checkBackend(backend: DeepReadonly<IngressBackend> | undefined, path: string, errors: FieldError[]): void {
  const { service, resource } = backend ?? {}
  if (service !== undefined && resource !== undefined)
    errors.push(fieldError.invalid(path, '', 'cannot set both resource and service backends'))
  else if (resource !== undefined) {
    if (resource.apiGroup !== undefined) checkName(isDnsSubdomain, resource.apiGroup, `${path}.resource.apiGroup`, errors)
    checkRequiredName(pathSegmentFaults, resource.kind, `${path}.resource.kind`, errors)
    checkRequiredName(pathSegmentFaults, resource.name, `${path}.resource.name`, errors)
  } else if (service !== undefined) {
    checkRequiredName(isDns1035Label, service.name, `${path}.service.name`, errors)
    const { name, number } = service.port ?? {}
    if (name && number) errors.push(fieldError.invalid(path, '', 'cannot set both port name & port number'))
    else if (name) checkName(isPortName, name, `${path}.service.port.name`, errors)
    else if (number) checkPortNumber(number, `${path}.service.port.number`, errors)
    else errors.push(fieldError.required(path, 'port name or number is required'))
  } else errors.push(fieldError.invalid(path, '', 'resource or service backend is required'))
}

export function checkTls({ hosts, secretName }: DeepReadonly<IngressTLS>, path: string, errors: FieldError[]): void {
  each(hosts, `${path}.hosts`, (host, at) => checkHost(host, at, errors))
  if (secretName) checkName(isDnsSubdomain, secretName, `${path}.secretName`, errors)
}
