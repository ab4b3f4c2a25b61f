import { type AdmissionRequest, AdmissionValidate, definePlugin, forbidden, type Kind, type UnstructuredObject } from '@continuo/core'
import { ResourceQuota } from '@continuo/workload'
import { chargeQuotas } from './charge.ts'
import { evaluatorOf } from './evaluator.ts'

/**
 * Keeps namespaces within their ResourceQuotas, exactly: what an object uses is added to the quota's status in the commit that stores the object,
 * and whoever was overtaken by another one decides anew.
 */
export const resourceQuota = definePlugin({
  name: 'resource-quota',
  api: '^1',
  permissions: [
    { apiGroups: [''], resources: ['resourcequotas'], verbs: ['list'] },
    { apiGroups: [''], resources: ['resourcequotas/status'], verbs: ['update'] },
  ],
  setup(ctx) {
    // In the last stage: what others add counts, and what they refuse is never committed, so never charged.
    ctx.tap(
      AdmissionValidate,
      (request) => {
        if (request.namespace === '' || request.operation === 'DELETE') return
        const evaluator = evaluatorOf(request.resource.group, request.resource.resource)
        if (evaluator?.handles(request) !== true) return
        const quotas = request.read.list(ResourceQuota, request.namespace)
        if (quotas.length === 0) return
        const verdict = chargeQuotas(quotas, {
          evaluator,
          object: request.object as UnstructuredObject,
          ...(request.operation === 'UPDATE' && request.oldObject !== undefined ? { before: request.oldObject } : {}),
          now: ctx.clock.now(),
          existing: () => request.read.list(kindOf(request), request.namespace),
        })
        if (verdict.type === 'refused') throw forbidden(request.resource, request.name, verdict.why)
        for (const object of verdict.quotas) request.companion({ type: 'update', kind: ResourceQuota, object })
      },
      { stage: 'post' },
    )
  },
})

const kindOf = ({ resource, kind }: AdmissionRequest): Kind<UnstructuredObject> => ({ ...resource, kind: kind.kind, namespaced: true })
