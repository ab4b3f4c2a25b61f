import { definePlugin } from '@continuo/core'
import { type Ingress, IngressClass } from '@continuo/workload'
import { concerns } from '../requests/requests.ts'
import { newestDefault } from './newest-default.ts'

const mark = 'ingressclass.kubernetes.io/is-default-class'
const classAnnotation = 'kubernetes.io/ingress.class'

/** Gives ingresses that name no class, in either way, the default one. */
export const defaultIngressClass = definePlugin({
  name: 'default-ingress-class',
  api: '^1',
  permissions: [{ apiGroups: ['networking.k8s.io'], resources: ['ingressclasses'], verbs: ['list'] }],
  setup(ctx) {
    ctx.admission({
      reads: [IngressClass],
      mutate(request) {
        if (request.operation !== 'CREATE' || !concerns(request, 'networking.k8s.io', 'ingresses')) return
        const { spec, metadata } = request.object as unknown as Ingress
        if (spec === undefined || spec.ingressClassName !== undefined || metadata.annotations?.[classAnnotation] !== undefined) return
        const found = newestDefault(request.read.list(IngressClass), mark)
        if (found !== undefined) spec.ingressClassName = found.metadata.name
      },
    })
  },
})
