import { type DeepReadonly, type FieldError, fieldError, pathSegmentFaults } from '@continuo/core'
import type { IngressClass as IngressClassObject, IngressClassParametersReference } from '../../generated/types/networking-v1.ts'
import { checkName, checkRequiredName, isDnsLabel, isDnsSubdomain } from '../../rules/names.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type IngressClass = IngressClassObject
/** Handle of ingressclasses in networking.k8s.io/v1. */
export const IngressClass = kindOf<IngressClass>('networking.k8s.io/v1', 'ingressclasses')

const maxControllerLength = 250

export const ingressClassResource = workloadResource(IngressClass, {
  table: table<IngressClass>(
    nameColumn(),
    text('Controller', ({ spec }) => spec?.controller ?? ''),
    text('Parameters', ({ spec }) => {
      if (spec?.parameters === undefined) return '<none>'
      const { apiGroup, kind, name } = spec.parameters
      return `${kind}${apiGroup ? `.${apiGroup}` : ''}/${name}`
    }),
    ageColumn(),
  ),
  strategy: strategyOf<IngressClass>({
    default({ spec }) {
      if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster'
    },
    validate({ spec }, errors) {
      const { controller, parameters } = spec ?? {}
      if (!controller) errors.push(fieldError.required('spec.controller'))
      else if (controller.length > maxControllerLength) errors.push(fieldError.tooLong('spec.controller', maxControllerLength))
      else if (!/^[^/]+\/.+$/.test(controller) || isDnsSubdomain(controller.split('/')[0] as string).length > 0)
        errors.push(fieldError.invalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")'))
      if (parameters !== undefined) checkParameters(parameters, 'spec.parameters', errors)
    },
    validateUpdate: (next, old, errors) => checkImmutable(next.spec?.controller, old.spec?.controller, 'spec.controller', errors),
  }),
})

/** The object that configures a controller: for the cluster, or in a namespace. */
function checkParameters(
  { apiGroup, kind, name, scope, namespace }: DeepReadonly<IngressClassParametersReference>,
  path: string,
  errors: FieldError[],
): void {
  if (apiGroup !== undefined) checkName(isDnsSubdomain, apiGroup, `${path}.apiGroup`, errors)
  checkRequiredName(pathSegmentFaults, kind, `${path}.kind`, errors)
  checkRequiredName(pathSegmentFaults, name, `${path}.name`, errors)
  if (scope !== 'Cluster' && scope !== 'Namespace') errors.push(fieldError.notSupported(`${path}.scope`, scope, ['Cluster', 'Namespace']))
  else if (scope === 'Cluster') {
    if (namespace !== undefined) errors.push(fieldError.forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"))
  } else if (namespace === undefined) errors.push(fieldError.required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"))
  else checkName(isDnsLabel, namespace, `${path}.namespace`, errors)
}
