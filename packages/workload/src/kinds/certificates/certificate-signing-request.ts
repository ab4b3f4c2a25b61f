import { type DeepReadonly, fieldError } from '@continuo/core'
import { humanDuration } from '@continuo/lib-quantity'
import type { CertificateSigningRequest as CertificateSigningRequestObject } from '../../generated/types/certificates-v1.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkConditions, checkDecisions, checkUsages } from './check-request.ts'

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
    default({ spec }) {
      if (spec !== undefined && (spec.usages?.length ?? 0) === 0 && spec.signerName === 'kubernetes.io/legacy-unknown')
        spec.usages = ['digital signature', 'key encipherment']
    },
    validate(request, errors) {
      const { spec } = request
      checkUsages(spec?.usages, errors)
      checkConditions(request, errors)
      if (!spec?.request) errors.push(fieldError.required('spec.request'))
      if (!spec?.signerName) errors.push(fieldError.required('spec.signerName'))
      else if (!/^[^/]+\.[^/]+\/[^/]+$/.test(spec.signerName))
        errors.push(
          fieldError.invalid(
            'spec.signerName',
            spec.signerName,
            'must be a fully qualified domain and path of the form "example.com/signer-name"',
          ),
        )
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
  }),
})

function formatConditions({ status }: DeepReadonly<CertificateSigningRequest>): string {
  const words = ['Approved', 'Denied', 'Failed'].filter((type) => status?.conditions?.some((condition) => condition.type === type))
  const text = words.length === 0 ? 'Pending' : words.join(',')
  return status?.certificate ? `${text},Issued` : text
}
