import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { IngressBackend, Ingress as IngressObject } from '../../generated/types/networking-v1.ts'
import { checkName, isDns1035Label, isDnsSubdomain } from '../../rules/names.ts'
import { checkOneOf } from '../../rules/values.ts'
import { ageColumn, nameColumn, orNone, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type Ingress = IngressObject
/** Handle of ingresses in networking.k8s.io/v1. */
export const Ingress = kindOf<Ingress>('networking.k8s.io/v1', 'ingresses')

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
    validate({ spec }, errors) {
      if ((spec?.rules?.length ?? 0) === 0 && spec?.defaultBackend === undefined)
        errors.push(fieldError.invalid('spec', spec ?? {}, 'either `defaultBackend` or `rules` must be specified'))
      if (spec?.defaultBackend !== undefined) checkBackend(spec.defaultBackend, 'spec.defaultBackend', errors)
      if (spec?.ingressClassName !== undefined) checkName(isDnsSubdomain, spec.ingressClassName, 'spec.ingressClassName', errors)
      spec?.rules?.forEach((rule, index) => {
        const path = `spec.rules[${index}]`
        if (rule.host) checkName(isDnsSubdomain, rule.host.replace(/^\*\./, ''), `${path}.host`, errors)
        if (rule.http !== undefined && (rule.http.paths ?? []).length === 0) errors.push(fieldError.required(`${path}.http.paths`))
        rule.http?.paths?.forEach((entry, at) => {
          const place = `${path}.http.paths[${at}]`
          checkOneOf(entry.pathType, ['Exact', 'ImplementationSpecific', 'Prefix'], `${place}.pathType`, errors)
          if (entry.pathType !== 'ImplementationSpecific' && !entry.path?.startsWith('/'))
            errors.push(fieldError.invalid(`${place}.path`, entry.path ?? '', 'must be an absolute path'))
          checkBackend(entry.backend, `${place}.backend`, errors)
        })
      })
    },
  }),
})

const maxHosts = 3

const formatHosts = (hosts: readonly string[]): string => {
  if (hosts.length === 0) return '*'
  return hosts.length <= maxHosts ? hosts.join(',') : `${hosts.slice(0, maxHosts).join(',')} + ${hosts.length - maxHosts} more...`
}

function checkBackend(backend: DeepReadonly<IngressBackend> | undefined, path: string, errors: FieldError[]): void {
  const { service, resource } = backend ?? {}
  if (service === undefined && resource === undefined)
    errors.push(fieldError.required(path, 'either "service" or "resource" must be specified'))
  else if (service !== undefined && resource !== undefined)
    errors.push(fieldError.invalid(path, '', 'cannot set both resource and service backends'))
  if (service === undefined) return
  if (!service.name) errors.push(fieldError.required(`${path}.service.name`))
  else checkName(isDns1035Label, service.name, `${path}.service.name`, errors)
  const { name, number } = service.port ?? {}
  if (name && number) errors.push(fieldError.invalid(`${path}.service.port`, '', 'cannot set both port name & port number'))
  if (!name && !number) errors.push(fieldError.required(`${path}.service.port`, 'port name or number is required'))
}
