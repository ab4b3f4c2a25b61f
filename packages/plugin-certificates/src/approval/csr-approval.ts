import { type DeepReadonly, definePlugin, hasReason, kind, mutableCopy, type ObjectClient } from '@continuo/core'
import { CertificateSigningRequest, type SubjectAccessReview as SubjectAccessReviewObject } from '@continuo/workload'
import { z } from 'zod'
import { withCondition } from '../requests/conditions.ts'
import { bootstrapBindings, ensureBindings } from './bootstrap-bindings.ts'
import { type NodeRight, rightsFor } from './recognise.ts'

const SubjectAccessReview = kind<SubjectAccessReviewObject>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  resource: 'subjectaccessreviews',
  namespaced: false,
})

/** Rights are given without the request changing: a request that was recognised is asked about again. */
const askAgainMs = 15_000

const messages: Readonly<Record<NodeRight, string>> = {
  selfnodeclient: 'A node renews its own client certificate, as it has the right to.',
  nodeclient: 'Who asks has the right to client certificates of nodes.',
}

const config = z
  .strictObject({
    bootstrappers: z
      .array(z.string().min(1))
      .default(['system:bootstrappers'])
      .describe('Groups that may bring nodes into the cluster: they are bound to the roles for it when the bindings are missing.'),
  })
  .prefault({})

/**
 * Approves requests of nodes for their client certificates, when who asks has the right to them: `create` of
 * `certificatesigningrequests/nodeclient` for any node, `…/selfnodeclient` for a node that renews. All others wait for somebody.
 */
export const csrApproval = definePlugin({
  name: 'csr-approval',
  api: '^1',
  config,
  permissions: [
    { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/approval'], verbs: ['update'] },
    { apiGroups: ['certificates.k8s.io'], resources: ['signers'], verbs: ['approve'] },
    { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterrolebindings'], verbs: ['create'] },
    { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['bind'] },
  ],
  setup(ctx) {
    const requests = ctx.informer(CertificateSigningRequest)
    const approved = ctx.metrics.counter(
      'continuo_certificates_approved_total',
      'Signing requests of nodes that were approved by a right',
      ['right'],
    )
    ctx.whileLeading('bindings of bootstrappers', ({ client }) => ensureBindings(client, bootstrapBindings(ctx.config.bootstrappers)))
    ctx.controller({
      name: 'csr-approval',
      for: CertificateSigningRequest,
      async reconcile(key, { client, log }) {
        const request = requests.lister.get(key)
        const rights = request === undefined ? [] : rightsFor(request)
        if (request === undefined || rights.length === 0) return
        for (const right of rights) {
          if (!(await mayHave(client, request, right))) continue
          const next = withCondition(request, 'Approved', 'AutoApproved', messages[right], ctx.clock.now())
          await approve(client, next)
          approved.inc({ right })
          log.info({ request: key.name, user: request.spec.username, right }, 'signing request of a node approved')
          return
        }
        log.debug({ request: key.name, user: request.spec.username }, 'nobody gave the right to this certificate of a node')
        return { requeueAfterMs: askAgainMs }
      },
    })
  },
})

async function mayHave(client: ObjectClient, { spec }: DeepReadonly<CertificateSigningRequest>, right: NodeRight): Promise<boolean> {
  const { status } = await client.for(SubjectAccessReview).create({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: {
      user: spec.username ?? '',
      ...(spec.uid && { uid: spec.uid }),
      ...(spec.groups && { groups: [...spec.groups] }),
      ...(spec.extra && { extra: mutableCopy<Record<string, string[]>>(spec.extra) }),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        version: '*',
        resource: 'certificatesigningrequests',
        subresource: right,
        verb: 'create',
      },
    },
  } as SubjectAccessReviewObject)
  return status?.allowed === true
}

/** One that is gone needs no approval; one that changed is looked at anew. */
async function approve(client: ObjectClient, next: CertificateSigningRequest): Promise<void> {
  try {
    await client
      .for(CertificateSigningRequest)
      .subresource<CertificateSigningRequest>('approval')
      .update({ namespace: '', name: next.metadata.name }, next)
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
}
