import { type Clock, type ControllerSpec, hasReason, type Informer, type ObjectClient, watches } from '@continuo/core'
import { APIService, EndpointSlice, Service } from '@continuo/workload'
import { availableCondition, objectionTo } from './check-service.ts'
import type { Delegation } from './delegation.ts'

export interface AvailabilityOptions {
  readonly services: Informer<APIService>
  readonly delegation: Delegation
  readonly clock: Clock
  readonly checkMs: number
}

/** Of a slice: the service to which it belongs. */
const serviceOf = 'kubernetes.io/service-name'

/** Services that APIServices refer to, as an index of theirs. */
export const referenceIndex = {
  reference: ({ spec }: { readonly spec?: { readonly service?: { readonly namespace?: string; readonly name?: string } } }) =>
    spec?.service === undefined ? [] : [`${spec.service.namespace}/${spec.service.name}`],
}

/** Keys of the APIServices that refer to a service. */
const referring = (services: Informer<APIService>, service: string) =>
  services.lister.byIndex('reference', service).map(({ metadata }) => ({ namespace: '', name: metadata.name ?? '' }))

async function look(client: ObjectClient, { namespace = '', name = '' }: { readonly namespace?: string; readonly name?: string }) {
  const service = await client
    .for(Service)
    .get({ namespace, name })
    .catch((error: unknown) => {
      if (hasReason(error, 'NotFound')) return undefined
      throw error
    })
  const slices = await client.for(EndpointSlice).list({ namespace, labelSelector: `${serviceOf}=${name}` })
  return { service, slices: slices.items }
}

/**
 * Looks whether the servers behind APIServices answer, and tells it in their condition `Available`: after a change of the service or its endpoints,
 * and from time to time. Every replica asks for itself, for each forwards requests itself.
 */
export const availability = ({ services, delegation, clock, checkMs }: AvailabilityOptions): ControllerSpec<APIService> => ({
  name: 'api-service-available',
  for: APIService,
  leader: false,
  watches: [
    watches(Service, ({ metadata }) => referring(services, `${metadata.namespace}/${metadata.name}`)),
    watches(EndpointSlice, ({ metadata }) => referring(services, `${metadata.namespace}/${metadata.labels?.[serviceOf]}`)),
  ],
  async reconcile(key, { client }) {
    const service = services.lister.get(key)
    const reference = service?.spec?.service
    if (service === undefined || reference === undefined) return
    const { group = '', version = '' } = service.spec ?? {}
    const { service: target, slices } = await look(client, reference)
    const result = await delegation.check(group, version, objectionTo(reference, target, slices))
    const condition = availableCondition(service, result, clock.now())
    if (condition !== undefined) {
      const others = (service.status?.conditions ?? []).filter(({ type }) => type !== 'Available')
      await client
        .for(APIService)
        .subresource('status')
        .patch(key, { type: 'merge', body: { status: { conditions: [...others, condition] } } })
        .catch((error: unknown) => {
          if (!hasReason(error, 'NotFound')) throw error
        })
    }
    return { requeueAfterMs: checkMs }
  },
})
