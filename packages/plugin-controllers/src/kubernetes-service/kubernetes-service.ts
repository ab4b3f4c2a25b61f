import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import {
  type DeepReadonly,
  definePlugin,
  hasReason,
  type Informer,
  type KubeObject,
  Lease,
  type ObjectClient,
  optional,
  type ResourceClient,
} from '@continuo/core'
import { ApiEndpointCap, EndpointSlice, Endpoints, Service } from '@continuo/workload'
import { z } from 'zod'
import { sameStatus } from '../status/same-status.ts'
import { type ApiReplica, leaseSeconds, liveReplicas, replicaLease, replicaNamespace, replicaSelector } from './api-replica.ts'
import { desiredEndpoints, desiredService, desiredSlices, serviceKey } from './desired-service.ts'

const renewMs = (leaseSeconds * 1_000) / 3

const config = z
  .strictObject({
    clusterIP: z
      .ipv4()
      .default('127.96.0.1')
      .describe(
        'Address of the service: the first of the range that services get. The API must have it in the `names` of its certificate.',
      ),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Port of the service. Default: that of the API, because a proxy without root cannot listen on 443.'),
  })
  .prefault({})

/**
 * Keeps the service `kubernetes` in `default`, by which programs in pods find the API, with the live replicas of the API as its endpoints.
 * Each replica says by a lease that it lives; a host without an API only keeps the service.
 */
export const kubernetesService = definePlugin({
  name: 'kubernetes-service',
  api: '^1',
  config,
  requires: { endpoint: optional(ApiEndpointCap) },
  permissions: [
    { apiGroups: [''], resources: ['services', 'endpoints'], verbs: ['get', 'list', 'watch', 'create', 'update'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch', 'create', 'update', 'delete'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'list', 'watch', 'create', 'update', 'delete'] },
  ],
  setup(ctx) {
    const { endpoint } = ctx.use
    const leases = ctx.informer(Lease, { namespace: replicaNamespace, labelSelector: replicaSelector })
    const services = ctx.informer(Service)
    const endpoints = ctx.informer(Endpoints)
    const slices = ctx.informer(EndpointSlice, {
      indexes: { service: ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.['kubernetes.io/service-name'] ?? ''}`] },
    })

    /** Writes what differs; milliseconds until the next lease ends. */
    const publish = async (client: ObjectClient): Promise<number> => {
      const now = ctx.clock.now()
      const { replicas, nextEnd = now + renewMs } = liveReplicas(leases.lister.list(), now)
      const [first] = replicas
      // What was published last stays: where no API lives, nobody reads it.
      if (first === undefined) return renewMs
      await keep(client.for(Service), services.lister.get(serviceKey), desiredService(first, ctx.config.clusterIP, ctx.config.port))
      await keep(client.for(Endpoints), endpoints.lister.get(serviceKey), desiredEndpoints(replicas))
      await keepSlices(client, slices.lister.byIndex('service', `${serviceKey.namespace}/${serviceKey.name}`), desiredSlices(replicas))
      return Math.max(nextEnd - now, 0) + 1
    }

    let wake = (): void => {}
    const ours = ({ metadata }: DeepReadonly<KubeObject>): void => {
      const { namespace, name, labels } = metadata
      if (namespace !== serviceKey.namespace) return
      if (name === serviceKey.name || labels?.['kubernetes.io/service-name'] === serviceKey.name) wake()
    }
    for (const informer of [services, endpoints, slices] as readonly Informer<KubeObject>[])
      informer.on({ added: ours, updated: ours, deleted: ours })
    leases.on({ added: () => wake(), updated: () => wake(), deleted: () => wake() })
    ctx.whileLeading('kubernetes-service', async ({ client, signal }) => {
      while (!signal.aborted) {
        const change = new AbortController()
        wake = () => change.abort()
        const wait = await publish(client)
        await ctx.clock.sleep(wait, AbortSignal.any([signal, change.signal])).catch(() => {})
      }
    })

    if (endpoint === undefined) return
    let known = ''
    const renew = async (): Promise<void> => {
      try {
        const lease = replicaLease(await replicaOf(endpoint.url), ctx.clock.now())
        known = lease.metadata.name
        await ctx.client.for(Lease).apply(lease, { fieldManager: ctx.name, force: true })
      } catch (error) {
        ctx.log.warn({ err: error }, 'cannot say that this replica of the API lives, trying again')
      }
    }
    ctx.onStart('controllers', async () => {
      await renew()
      ctx.every(renewMs, renew)
    })
    ctx.onStop(async () => {
      if (known === '') return
      await ctx.client
        .for(Lease)
        .delete({ namespace: replicaNamespace, name: known })
        .catch((error: unknown) => ctx.log.debug({ err: error }, 'the lease of this replica of the API ends by itself'))
    })
  },
})

/** The address behind a URL; a host name is looked up. */
async function replicaOf(url: string): Promise<ApiReplica> {
  const { protocol, hostname, port } = new URL(url)
  const scheme = protocol === 'http:' ? 'http' : 'https'
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const ip = isIP(host) !== 0 ? host : (await lookup(host, { family: 4 })).address
  return { scheme, ip, port: port === '' ? (scheme === 'http' ? 80 : 443) : Number(port) }
}

/** True when `found` has everything that `wanted` says; what others added is not looked at. */
const contains = (found: DeepReadonly<KubeObject>, wanted: KubeObject): boolean => {
  const { metadata: _metadata, ...body } = wanted as KubeObject & Record<string, unknown>
  const labels = Object.entries(wanted.metadata.labels ?? {}).every(([key, value]) => found.metadata.labels?.[key] === value)
  return labels && Object.entries(body).every(([field, value]) => includes((found as unknown as Record<string, unknown>)[field], value))
}

function includes(found: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return Array.isArray(found) && found.length === wanted.length && wanted.every((value, index) => includes(found[index], value))
  if (typeof wanted === 'object' && wanted !== null)
    return (
      typeof found === 'object' &&
      found !== null &&
      Object.entries(wanted).every(([key, value]) => includes((found as Record<string, unknown>)[key], value))
    )
  return sameStatus(found, wanted)
}

async function keep<T extends KubeObject>(client: ResourceClient<T>, found: DeepReadonly<T> | undefined, wanted: T): Promise<void> {
  if (found === undefined) {
    try {
      await client.create(wanted)
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error
    }
  } else if (!contains(found, wanted)) {
    const { metadata } = found
    const next = {
      ...structuredClone(found as T),
      ...wanted,
      metadata: { ...metadata, labels: { ...metadata.labels, ...wanted.metadata.labels } },
    }
    await client.update(next as T)
  }
}

async function keepSlices(
  client: ObjectClient,
  found: readonly DeepReadonly<EndpointSlice>[],
  wanted: readonly EndpointSlice[],
): Promise<void> {
  const target = client.for(EndpointSlice)
  for (const slice of wanted)
    await keep(
      target,
      found.find(({ metadata }) => metadata.name === slice.metadata.name),
      slice,
    )
  for (const { metadata } of found) {
    if (wanted.some((slice) => slice.metadata.name === metadata.name)) continue
    try {
      await target.delete({ namespace: serviceKey.namespace, name: metadata.name })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
  }
}
