import { ApiError, definePlugin } from '@continuo/core'
import { EndpointSlice, Service, ServiceResolverCap } from '@continuo/workload'
import { chooseEndpoint } from './choose-endpoint.ts'

const serviceName = 'kubernetes.io/service-name'

/** Finds endpoints of services for whoever calls them from the control plane: directly, so that no node's proxy is needed. */
export const serviceResolver = definePlugin({
  name: 'service-resolver',
  api: '^1',
  provides: [ServiceResolverCap],
  permissions: [
    { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
  ],
  setup(ctx) {
    const services = ctx.informer(Service).lister
    const slices = ctx.informer(EndpointSlice, {
      indexes: { service: ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[serviceName] ?? ''}`] },
    }).lister
    ctx.provide(ServiceResolverCap, {
      resolve({ namespace, name, port }) {
        const service = services.get({ namespace, name })
        if (service === undefined) throw new ApiError('NotFound', `service ${JSON.stringify(name)} not found`)
        const pick = (count: number): number => Math.floor(ctx.random.next() * count)
        return chooseEndpoint(service, slices.byIndex('service', `${namespace}/${name}`), port, pick)
      },
    })
  },
})
