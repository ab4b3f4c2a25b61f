import { type AdmissionRequest, definePlugin } from '@continuo/core'
import { AccessGateCap, type CertificateSigningRequest } from '@continuo/workload'
import { checkCertificate } from './check-certificate.ts'
import { checkNodeName, checkRequest, checkSubject } from './check-request.ts'
import { checkRight } from './check-right.ts'
import { datedConditions } from './dated-conditions.ts'

/**
 * Who may decide about certificates: approving and denying takes the right to `approve`, signing the right to `sign`, of the
 * signer that the request names. Requests must be readable, and nobody asks for `system:masters` or for another node's name.
 */
export const certificateAdmission = definePlugin({
  name: 'certificate-admission',
  api: '^1',
  requires: { gate: AccessGateCap },
  setup(ctx) {
    ctx.admission({
      mutate(request) {
        if (isAboutRequests(request) && request.operation === 'UPDATE' && request.subresource !== undefined)
          datedConditions(request.object as CertificateSigningRequest | undefined, request.oldObject, ctx.clock.now())
      },
      async validate(request) {
        if (!isAboutRequests(request)) return
        const { operation, subresource } = request
        if (operation === 'CREATE' && subresource === undefined) {
          checkRequest(request)
          checkSubject(request)
          checkNodeName(request)
        } else if (operation === 'UPDATE' && subresource === 'approval') await checkRight(request, 'approve', ctx.use.gate)
        else if (operation === 'UPDATE' && subresource === 'status' && checkCertificate(request))
          await checkRight(request, 'sign', ctx.use.gate)
      },
    })
  },
})

const isAboutRequests = ({ resource }: AdmissionRequest): boolean =>
  resource.group === 'certificates.k8s.io' && resource.resource === 'certificatesigningrequests'
