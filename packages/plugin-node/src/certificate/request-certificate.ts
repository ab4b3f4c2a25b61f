import { type Clock, ContinuoError, type ObjectClient } from '@continuo/core'
import { createSigningRequest } from '@continuo/lib-certificates'
import { CertificateSigningRequest } from '@continuo/workload'

const signerName = 'kubernetes.io/kube-apiserver-client-kubelet'
const firstLookMs = 100
const longestLookMs = 2_000

export interface CertificateOrder {
  /** Whoever may create requests: a bootstrap token, or the node itself. */
  readonly client: ObjectClient
  readonly node: string
  readonly clock: Clock
  readonly signal?: AbortSignal
  /** Life that is asked for; the signer may give less. Default: what the signer gives. */
  readonly seconds?: number
  /** Time for somebody to approve it. Default 60,000 ms. */
  readonly timeoutMs?: number
}

/**
 * Has a certificate for the user `system:node:<node>` signed, and waits for it: certificate and private key in one PEM text, so that they can
 * be replaced together. Throws `NODE_CERTIFICATE_DENIED`, `NODE_CERTIFICATE_PENDING` when nobody approved in time, and what the API throws.
 */
export async function requestNodeCertificate({
  client,
  node,
  clock,
  signal,
  seconds,
  timeoutMs = 60_000,
}: CertificateOrder): Promise<string> {
  const { request, privateKey } = await createSigningRequest({ commonName: `system:node:${node}`, organizations: ['system:nodes'] })
  const requests = client.for(CertificateSigningRequest)
  const created = await requests.create({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: '', generateName: 'node-csr-' },
    spec: {
      request: Buffer.from(request).toString('base64'),
      signerName,
      usages: ['digital signature', 'client auth'],
      ...(seconds === undefined ? {} : { expirationSeconds: seconds }),
    },
  })
  const { name } = created.metadata
  const until = clock.monotonic() + timeoutMs
  for (let wait = firstLookMs; ; wait = Math.min(wait * 2, longestLookMs)) {
    await clock.sleep(wait, signal)
    const { status } = await requests.get(name)
    const refused = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed')
    if (refused !== undefined) throw denied(name, node, refused.message ?? refused.reason ?? refused.type)
    if (status?.certificate) return `${Buffer.from(status.certificate, 'base64').toString('utf8')}${privateKey}`
    if (clock.monotonic() >= until) throw pending(name, node)
  }
}

const denied = (name: string, node: string, why: string): ContinuoError =>
  new ContinuoError('NODE_CERTIFICATE_DENIED', `the certificate of node ${JSON.stringify(node)} (${name}) was refused: ${why}`, {
    hint: 'look at the request with kubectl describe csr, and join again',
  })

const pending = (name: string, node: string): ContinuoError =>
  new ContinuoError(
    'NODE_CERTIFICATE_PENDING',
    `nobody has approved and signed the certificate of node ${JSON.stringify(node)} (${name})`,
    {
      hint: `approve it with kubectl certificate approve ${name}, and try again`,
    },
  )
