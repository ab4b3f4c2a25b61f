import type { IngressClass as IngressClassObject } from '../../generated/types/networking-v1.ts'
import { checkRequiredName, isQualifiedName } from '../../rules/names.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type IngressClass = IngressClassObject
/** Handle of ingressclasses in networking.k8s.io/v1. */
export const IngressClass = kindOf<IngressClass>('networking.k8s.io/v1', 'ingressclasses')

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
    validate: ({ spec }, errors) => checkRequiredName(isQualifiedName, spec?.controller, 'spec.controller', errors),
    validateUpdate: (next, old, errors) => checkImmutable(next.spec?.controller, old.spec?.controller, 'spec.controller', errors),
  }),
})
