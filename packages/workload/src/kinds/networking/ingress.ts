import { fieldError } from '@continuo/core'
import type { Ingress as IngressObject } from '../../generated/types/networking-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, isDnsSubdomain } from '../../rules/names.ts'
import { ageColumn, nameColumn, orNone, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkBackend, checkRule, checkTls } from './check-ingress.ts'

export type Ingress = IngressObject
/** Handle of ingresses in networking.k8s.io/v1. */
export const Ingress = kindOf<Ingress>('networking.k8s.io/v1', 'ingresses')

/** How classes were named before there was a field. */
const classAnnotation = 'kubernetes.io/ingress.class'

export const ingressResource = workloadResource(Ingress, {
  shortNames: ['ing'],
  table: table<Ingress>(
    nameColumn(),
    text('Class', ({ spec }) => orNone(spec?.ingressClassName)),
    text('Hosts', ({ spec }) => formatHosts(spec?.rules?.map((rule) => rule.host ?? '').filter((host) => host !== '') ?? [])),
    text('Address', ({ status }) => (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').join(',')),
    text('Ports', ({ spec }) => ((spec?.tls?.length ?? 0) > 0 ? '80, 443' : '80')),
    ageColumn(),
  ),
  strategy: strategyOf<Ingress>({
    validate({ metadata, spec }, errors) {
      const annotated = metadata.annotations?.[classAnnotation]
      if (annotated !== undefined && spec?.ingressClassName !== undefined && annotated !== spec.ingressClassName)
        errors.push(
          fieldError.invalid(`annotations.${classAnnotation}`, annotated, 'must match `ingressClassName` when both are specified'),
        )
      if ((spec?.rules?.length ?? 0) === 0 && spec?.defaultBackend === undefined)
        errors.push(fieldError.invalid('spec', spec?.rules ?? null, 'either `defaultBackend` or `rules` must be specified'))
      if (spec?.defaultBackend !== undefined) checkBackend(spec.defaultBackend, 'spec.defaultBackend', errors)
      if (spec?.ingressClassName !== undefined) checkName(isDnsSubdomain, spec.ingressClassName, 'spec.ingressClassName', errors)
      each(spec?.rules, 'spec.rules', (rule, path) => checkRule(rule, path, errors))
      each(spec?.tls, 'spec.tls', (tls, path) => checkTls(tls, path, errors))
    },
  }),
})

const maxHosts = 3

const formatHosts = (hosts: readonly string[]): string => {
  if (hosts.length === 0) return '*'
  return hosts.length <= maxHosts ? hosts.join(',') : `${hosts.slice(0, maxHosts).join(',')} + ${hosts.length - maxHosts} more...`
}
