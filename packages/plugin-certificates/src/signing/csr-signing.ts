import { definePlugin, hasReason, mutableCopy, type ObjectClient, optional } from '@continuo/core'
import { type CertificateSigner, CertificateSignerCap, CertificateSigningRequest } from '@continuo/workload'
import { z } from 'zod'
import { withCondition } from '../requests/conditions.ts'
import { requestPem } from '../requests/requested.ts'
import { decideSigning } from './decide-signing.ts'
import { type SignerName, signerRules } from './signer-rules.ts'

const names = Object.keys(signerRules) as [SignerName, ...SignerName[]]
/** Errors by which a signer says that the request itself is at fault. */
const requestFaults = new Set(['CERT_INVALID', 'CERT_REFUSED'])

const config = z
  .strictObject({
    signers: z.array(z.enum(names)).default(names).describe('Signers that this plugin is.'),
    maxSeconds: z
      .int()
      .min(600)
      .default(365 * 86_400)
      .describe('Seconds that a certificate is valid, unless its request asks for fewer. Never longer than the authority itself.'),
  })
  .prefault({})

/**
 * Signs what was approved, with the key of the cluster's authority. A request that breaks the rules of its signer
 * fails with the reason `SignerValidationFailure` and is never looked at again.
 */
export const csrSigning = definePlugin({
  name: 'csr-signing',
  api: '^1',
  config,
  requires: { signer: optional(CertificateSignerCap) },
  permissions: [
    { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/status'], verbs: ['update'] },
    { apiGroups: ['certificates.k8s.io'], resources: ['signers'], verbs: ['sign'] },
  ],
  setup(ctx) {
    const { signer } = ctx.use
    if (signer === undefined) return ctx.log.info({}, 'nothing is signed: the API of this process has no authority of its own')
    const requests = ctx.informer(CertificateSigningRequest)
    const policy = { signers: new Set<string>(ctx.config.signers), maxSeconds: ctx.config.maxSeconds }
    const signed = ctx.metrics.counter('continuo_certificates_signed_total', 'Signing requests that a signer has settled', [
      'signer',
      'result',
    ])
    ctx.controller({
      name: 'csr-signing',
      for: CertificateSigningRequest,
      async reconcile(key, { client, log }) {
        const request = requests.lister.get(key)
        if (request === undefined) return
        const decision = decideSigning(request, policy)
        if (decision.type === 'none') return
        const outcome =
          decision.type === 'refuse'
            ? { message: decision.message }
            : await sign(signer, mutableCopy<CertificateSigningRequest>(request), ctx.clock.now() + decision.seconds * 1000)
        const next =
          'certificate' in outcome
            ? { ...mutableCopy<CertificateSigningRequest>(request), status: { ...request.status, certificate: outcome.certificate } }
            : withCondition(request, 'Failed', 'SignerValidationFailure', outcome.message, ctx.clock.now())
        await settle(client, next as CertificateSigningRequest)
        const result = 'certificate' in outcome ? 'issued' : 'failed'
        signed.inc({ signer: request.spec.signerName, result })
        log.info({ request: key.name, signer: request.spec.signerName, user: request.spec.username, result }, 'signing request settled')
      },
    })
  },
})

type Outcome = { readonly certificate: string } | { readonly message: string }

async function sign(signer: CertificateSigner, request: CertificateSigningRequest, notAfter: number): Promise<Outcome> {
  try {
    const pem = await signer.sign({ request: requestPem(request), usages: request.spec.usages ?? [], notAfter })
    return { certificate: Buffer.from(pem, 'latin1').toString('base64') }
  } catch (error) {
    if (!requestFaults.has((error as { readonly code?: string }).code ?? '')) throw error
    return { message: (error as Error).message }
  }
}

/** A request that changed meanwhile is looked at anew, by the change. */
async function settle(client: ObjectClient, next: CertificateSigningRequest): Promise<void> {
  try {
    await client.for(CertificateSigningRequest).updateStatus(next)
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
}
