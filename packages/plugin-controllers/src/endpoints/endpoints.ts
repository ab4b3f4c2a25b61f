import { definePlugin, formatTime, hasReason, type ObjectClient, type ObjectKey, type PluginContext, watches } from '@continuo/core'
import { Endpoints, Pod, Service } from '@continuo/workload'
import { isHeadless, podsOf, type ServiceView, selectsPods, servicesOf } from '../services/service-pods.ts'
import { sameStatus } from '../status/same-status.ts'
import { endpointSubsets } from './subsets.ts'

const triggerTime = 'endpoints.kubernetes.io/last-change-trigger-time'
const overCapacity = 'endpoints.kubernetes.io/over-capacity'
const managedByLabel = 'endpoints.kubernetes.io/managed-by'
const headlessLabel = 'service.kubernetes.io/headless'

/** Publishes the endpoints of services with a selector in the older form: one Endpoints object per service. */
export const endpoints = definePlugin({
  name: 'endpoints',
  api: '^1',
  permissions: [
    { apiGroups: [''], resources: ['services', 'pods'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['endpoints'], verbs: ['get', 'list', 'watch', 'create', 'update', 'delete'] },
  ],
  setup: (ctx) => publishEndpoints(ctx),
})

function desiredEndpoints(service: ServiceView, existing: Endpoints | undefined, pods: Parameters<typeof endpointSubsets>[1]): Endpoints {
  const { subsets, truncated } = endpointSubsets(service, pods)
  const { [triggerTime]: _, [overCapacity]: __, ...annotations } = existing?.metadata.annotations ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...existing?.metadata,
      name: service.metadata.name,
      namespace: service.metadata.namespace ?? '',
      labels: { ...service.metadata.labels, [managedByLabel]: 'endpoint-controller', ...(isHeadless(service) && { [headlessLabel]: '' }) },
      annotations: { ...annotations, ...(truncated && { [overCapacity]: 'truncated' }) },
    },
    subsets,
  }
}

function publishEndpoints(ctx: PluginContext): void {
  const services = ctx.informer(Service)
  const pods = ctx.informer(Pod)
  const published = ctx.informer(Endpoints)

  async function reconcile(key: ObjectKey, client: ObjectClient, signal: AbortSignal): Promise<void> {
    const service = services.lister.get(key)
    const existing = published.lister.get(key)
    if (service === undefined) return existing?.metadata.labels?.[managedByLabel] === undefined ? undefined : remove(key, client)
    if (!selectsPods(service) || service.metadata.deletionTimestamp !== undefined) return
    const wanted = desiredEndpoints(service, existing as Endpoints | undefined, podsOf(pods, service))
    if (existing !== undefined && isSame(existing as Endpoints, wanted)) return
    wanted.metadata.annotations = { ...wanted.metadata.annotations, [triggerTime]: formatTime(ctx.clock.now()) }
    const target = client.for(Endpoints)
    const written = existing === undefined ? await target.create(wanted) : await target.update(structuredClone(wanted))
    if (written.metadata.resourceVersion !== undefined) await published.lister.reached(written.metadata.resourceVersion, signal)
  }

  ctx.controller({
    name: 'endpoints-controller',
    for: Service,
    watches: [
      watches(Pod, (pod) => servicesOf(services, pod)),
      watches(Endpoints, ({ metadata: { name, namespace = '' } }) => [{ namespace, name }]),
    ],
    reconcile: (key, { client, signal }) => reconcile(key, client, signal),
  })
}

async function remove(key: ObjectKey, client: ObjectClient): Promise<void> {
  try {
    await client.for(Endpoints).delete(key)
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
}

function isSame(a: Endpoints, b: Endpoints): boolean {
  const { [triggerTime]: _, ...annotations } = a.metadata.annotations ?? {}
  return (
    sameStatus(a.subsets ?? [], b.subsets) &&
    sameStatus(a.metadata.labels ?? {}, b.metadata.labels) &&
    sameStatus(annotations, b.metadata.annotations)
  )
}
