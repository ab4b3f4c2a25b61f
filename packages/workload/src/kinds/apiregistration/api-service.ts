import { type DeepReadonly, type FieldError, fieldError, pathSegmentFaults } from '@continuo/core'
import type { APIService as APIServiceObject } from '../../generated/types/apiregistration-v1.ts'
import { checkName, isDns1035Label, isDnsSubdomain } from '../../rules/names.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type APIService = APIServiceObject
/** Handle of apiservices in apiregistration.k8s.io/v1. */
export const APIService = kindOf<APIService>('apiregistration.k8s.io/v1', 'apiservices')

const maxGroupPriority = 20_000
const maxVersionPriority = 1000
const defaultPort = 443

export const apiServiceResource = workloadResource(APIService, {
  categories: ['api-extensions'],
  table: table<APIService>(
    nameColumn(),
    text('Service', ({ spec }) => (spec?.service === undefined ? 'Local' : `${spec.service.namespace}/${spec.service.name}`)),
    text('Available', (service) => formatAvailable(service)),
    ageColumn(),
  ),
  strategy: strategyOf<APIService>({
    default({ spec }) {
      if (spec?.service !== undefined) spec.service.port ??= defaultPort
    },
    prepareForCreate(service) {
      if (service.spec?.service === undefined) service.status = { conditions: [localIsAvailable] }
    },
    // The core group's own is named `v1.`, which is no domain name.
    validateName: (name, isPrefix) => pathSegmentFaults(name, isPrefix),
    validate(service, errors) {
      checkNaming(service, errors)
      checkPriorities(service, errors)
      checkService(service, errors)
    },
  }),
})

const localIsAvailable = { type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' }

function checkNaming({ metadata, spec }: DeepReadonly<APIService>, errors: FieldError[]): void {
  const { group = '', version = '' } = spec ?? {}
  const wanted = `${version}.${group}`
  if (metadata.name !== wanted)
    errors.push(fieldError.invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`))
  if (group === '' && version !== 'v1')
    errors.push(fieldError.required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  if (group !== '') checkName(isDnsSubdomain, group, 'spec.group', errors)
  checkName(isDns1035Label, version, 'spec.version', errors)
}

function checkPriorities({ spec }: DeepReadonly<APIService>, errors: FieldError[]): void {
  const { groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {}
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > maxGroupPriority)
    errors.push(fieldError.invalid('spec.groupPriorityMinimum', groupPriorityMinimum, `must be positive and less than ${maxGroupPriority}`))
  if (versionPriority <= 0 || versionPriority > maxVersionPriority)
    errors.push(fieldError.invalid('spec.versionPriority', versionPriority, `must be positive and less than ${maxVersionPriority}`))
}

function checkService({ spec }: DeepReadonly<APIService>, errors: FieldError[]): void {
  const { service, caBundle = '', insecureSkipTLSVerify = false } = spec ?? {}
  if (service === undefined) {
    if (caBundle !== '')
      errors.push(
        fieldError.invalid('spec.caBundle', `${Buffer.byteLength(caBundle, 'base64')} bytes`, 'local APIServices may not have a caBundle'),
      )
    if (insecureSkipTLSVerify)
      errors.push(fieldError.invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'))
    return
  }
  if (!service.namespace) errors.push(fieldError.required('spec.service.namespace'))
  if (!service.name) errors.push(fieldError.required('spec.service.name'))
  if (service.port !== undefined && (service.port < 1 || service.port > 65_535))
    errors.push(fieldError.invalid('spec.service.port', service.port, 'port is not valid: must be between 1 and 65535, inclusive'))
  if (insecureSkipTLSVerify && caBundle !== '')
    errors.push(fieldError.invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
}

function formatAvailable({ status }: DeepReadonly<APIService>): string {
  const condition = status?.conditions?.find((one) => one.type === 'Available')
  if (condition === undefined) return 'Unknown'
  return condition.status === 'True' || !condition.reason ? condition.status : `${condition.status} (${condition.reason})`
}
