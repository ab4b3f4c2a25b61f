import { type DeepReadonly, definePlugin, type KubeObject, type ObjectClient } from '@continuo/core'
import { EndpointSlice, Service } from '@continuo/workload'
import { z } from 'zod'
import { parseServer } from '../forward/read-upstreams.ts'
import { kubeDnsKey, kubeDnsObjects } from './kube-dns-objects.ts'

const resyncMs = 60_000
const retryMs = 1_000

const config = z
  .strictObject({
    clusterIP: z.union([z.ipv4(), z.ipv6()]).default('127.96.0.10').describe('Address of the service, in the range that services get.'),
    port: z.int().min(1).max(65_535).default(53).describe('Port of the service. Programs that read `resolv.conf` ask on 53 alone.'),
    servers: z
      .array(z.string().refine((text) => parseServer(text) !== undefined, 'must be an IP address with a port such as 127.0.0.1:1053'))
      .min(1)
      .default(['127.0.0.1:1053'])
      .describe('Where the name servers listen: the endpoints of the service.'),
  })
  .prefault({})

/** Keeps the service `kube-dns` in `kube-system` with the name servers as its endpoints, so that pods reach them at one address. */
export const kubeDns = definePlugin({
  name: 'kube-dns',
  api: '^1',
  config,
  permissions: [
    { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch', 'create', 'patch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch', 'create', 'patch'] },
  ],
  setup(ctx) {
    const servers = ctx.config.servers.flatMap((text) => parseServer(text) ?? [])
    const wanted = kubeDnsObjects({ clusterIP: ctx.config.clusterIP, port: ctx.config.port, servers })

    const publish = async (client: ObjectClient): Promise<void> => {
      const options = { fieldManager: ctx.name, force: true }
      await client.for(Service).apply(wanted.service, options)
      for (const slice of wanted.slices) await client.for(EndpointSlice).apply(slice, options)
    }

    let wake = (): void => {}
    const gone = ({ metadata }: DeepReadonly<KubeObject>): void => {
      if (metadata.namespace === kubeDnsKey.namespace && metadata.name.startsWith(kubeDnsKey.name)) wake()
    }
    ctx.informer(Service).on({ deleted: gone })
    ctx.informer(EndpointSlice).on({ deleted: gone })
    ctx.whileLeading('kube-dns', async ({ client, signal }) => {
      while (!signal.aborted) {
        const change = new AbortController()
        wake = () => change.abort()
        let wait = resyncMs
        try {
          await publish(client)
        } catch (error) {
          ctx.log.warn({ err: error }, 'cannot keep the service kube-dns, trying again')
          wait = retryMs
        }
        await ctx.clock.sleep(wait, AbortSignal.any([signal, change.signal])).catch(() => {})
      }
    })
  },
})
