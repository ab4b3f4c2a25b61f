import { type DeepReadonly, fieldError, mutableCopy } from '@continuo/core'
import { humanDuration } from '@continuo/lib-quantity'
import type { CertificateSigningRequest as CertificateSigningRequestObject } from '../../generated/types/certificates-v1.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkConditions, checkDecisions, checkSignerName, checkUsages } from './check-request.ts'
import { expiresAt } from './expires-at.ts'

export type CertificateSigningRequest = CertificateSigningRequestObject
/** Handle of certificatesigningrequests in certificates.k8s.io/v1. */
export const CertificateSigningRequest = kindOf<CertificateSigningRequest>('certificates.k8s.io/v1', 'certificatesigningrequests')

export const certificateSigningRequestResource = workloadResource(CertificateSigningRequest, {
  shortNames: ['csr'],
  table: table<CertificateSigningRequest>(
    nameColumn(),
    ageColumn(),
    text('SignerName', ({ spec }) => spec.signerName),
    text('Requestor', ({ spec }) => spec.username ?? ''),
    text('RequestedDuration', ({ spec }) =>
      spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
    ),
    text('Condition', (request) => formatConditions(request)),
  ),
  selectableFields: { 'spec.signerName': (object) => (object as unknown as CertificateSigningRequest).spec?.signerName ?? '' },
  subresources: [
    {
      type: 'object',
      name: 'approval',
      kind: { group: 'certificates.k8s.io', version: 'v1', kind: 'CertificateSigningRequest' },
      verbs: ['get', 'update', 'patch'],
      write(parent, body) {
        const request = parent as unknown as CertificateSigningRequest
        request.status = { ...request.status, conditions: (body as unknown as CertificateSigningRequest).status?.conditions }
        return parent
      },
    },
  ],
  strategy: strategyOf<CertificateSigningRequest>({
    // Who asks is what the server knows of the caller, whatever the request claims.
    prepareForCreate({ spec }, { username, uid, groups, extra }) {
      if (spec === undefined) return
      for (const field of ['username', 'uid', 'groups', 'extra'] as const) delete spec[field]
      Object.assign(spec, {
        username,
        ...(uid && { uid }),
        ...(groups && { groups: [...groups] }),
        ...(extra && { extra: mutableCopy(extra) }),
      })
    },
    // A request stays what it was: changes of it are dropped, as Kubernetes does.
    prepareForUpdate(next, old) {
      next.spec = mutableCopy<CertificateSigningRequest['spec']>(old.spec)
    },
    validate(request, errors) {
      const { spec } = request
      checkUsages(spec?.usages, errors)
      checkConditions(request, errors)
      if (!spec?.request) errors.push(fieldError.required('spec.request'))
      if (!spec?.signerName) errors.push(fieldError.required('spec.signerName'))
      else checkSignerName(spec.signerName, errors)
      if ((spec?.usages?.length ?? 0) === 0) errors.push(fieldError.required('spec.usages', 'usages is required'))
      if (spec?.expirationSeconds !== undefined && spec.expirationSeconds < 600)
        errors.push(
          fieldError.invalid(
            'spec.expirationSeconds',
            spec.expirationSeconds,
            'may not specify a duration less than 600 seconds (10 minutes)',
          ),
        )
    },
    validateUpdate(next, old, errors, subresource) {
      checkImmutable(next.spec, old.spec, 'spec', errors)
      checkDecisions(next, old, subresource, errors)
    },
    expiresAt,
  }),
})

function formatConditions({ status }: DeepReadonly<CertificateSigningRequest>): string {
  const words = ['Approved', 'Denied', 'Failed'].filter((type) => status?.conditions?.some((condition) => condition.type === type))
  const text = words.length === 0 ? 'Pending' : words.join(',')
  return status?.certificate ? `${text},Issued` : text
}
