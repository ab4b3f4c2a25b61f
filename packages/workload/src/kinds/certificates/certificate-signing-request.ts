import type { CertificateSigningRequest as CertificateSigningRequestObject } from '../../generated/types/certificates-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type CertificateSigningRequest = CertificateSigningRequestObject
/** Handle of certificatesigningrequests in certificates.k8s.io/v1. */
export const CertificateSigningRequest = kindOf<CertificateSigningRequest>('certificates.k8s.io/v1', 'certificatesigningrequests')

export const certificateSigningRequestResource = workloadResource(CertificateSigningRequest)
