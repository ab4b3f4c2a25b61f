import { definePlugin, formatTime, hasReason, keyOf, type ObjectClient, type ObjectKey, type PluginContext, watches } from '@continuo/core'
import { EndpointSlice, Node, Pod, Service } from '@continuo/workload'
import { podsOf, selectsPods, servicesOf } from '../services/service-pods.ts'
import { desiredGroups, managedBy, managedByLabel, serviceLabel, sliceFrame } from './desired-slices.ts'
import { planSlices, type SlicePlan } from './plan-slices.ts'

const triggerTime = 'endpoints.kubernetes.io/last-change-trigger-time'
const zoneLabel = 'topology.kubernetes.io/zone'

/** Publishes the endpoints of services with a selector in slices of at most 100. */
export const endpointSlice = definePlugin({
  name: 'endpoint-slice',
  api: '^1',
  permissions: [
    { apiGroups: [''], resources: ['services', 'pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['services/finalizers'], verbs: ['update'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch', 'create', 'update', 'delete'] },
  ],
  setup: (ctx) => publishSlices(ctx),
})

function publishSlices(ctx: PluginContext): void {
  const services = ctx.informer(Service)
  const pods = ctx.informer(Pod)
  const nodes = ctx.informer(Node)
  const slices = ctx.informer(EndpointSlice, {
    indexes: {
      service: ({ metadata: { labels, namespace } }) =>
        labels?.[managedByLabel] === managedBy ? [`${namespace}/${labels[serviceLabel]}`] : [],
    },
  })
  const zoneOf = (name: string): string | undefined => nodes.lister.get({ namespace: '', name })?.metadata.labels?.[zoneLabel]

  async function reconcile(key: ObjectKey, client: ObjectClient, signal: AbortSignal): Promise<void> {
    const existing = slices.lister.byIndex('service', `${key.namespace}/${key.name}`)
    const service = services.lister.get(key)
    if (service === undefined) return void (await write({ create: [], update: [], remove: existing }, client))
    if (!selectsPods(service) || service.metadata.deletionTimestamp !== undefined) return
    const newest = await write(planSlices(existing, desiredGroups(service, podsOf(pods, service), zoneOf), sliceFrame(service)), client)
    if (newest !== '') await slices.lister.reached(newest, signal)
  }

  /** The highest version that was written. */
  async function write({ create, update, remove }: SlicePlan, client: ObjectClient): Promise<string> {
    const target = client.for(EndpointSlice)
    const at = formatTime(ctx.clock.now())
    const stamped = <T extends EndpointSlice>(slice: T): T => ({
      ...slice,
      metadata: { ...slice.metadata, annotations: { ...slice.metadata.annotations, [triggerTime]: at } },
    })
    let newest = ''
    const wrote = ({ metadata: { resourceVersion = '' } }: EndpointSlice): void => {
      if (Number(resourceVersion) > Number(newest)) newest = resourceVersion
    }
    for (const slice of create) wrote(await target.create(stamped(slice)))
    for (const slice of update) wrote(await target.update(stamped(slice)))
    for (const slice of remove) {
      try {
        await target.delete(keyOf(slice))
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error
      }
    }
    return newest
  }

  ctx.controller({
    name: 'endpoint-slice-controller',
    for: Service,
    watches: [
      watches(Pod, (pod) => servicesOf(services, pod)),
      watches(EndpointSlice, ({ metadata: { labels, namespace = '' } }) => {
        const name = labels?.[serviceLabel]
        return name !== undefined && labels?.[managedByLabel] === managedBy ? [{ namespace, name }] : []
      }),
    ],
    reconcile: (key, { client, signal }) => reconcile(key, client, signal),
  })
}
