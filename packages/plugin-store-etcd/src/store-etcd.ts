import { definePlugin, StoreCap } from '@continuo/core'
import { z } from 'zod'
import { EtcdStore } from './etcd-store.ts'

export const storeEtcdConfig = z
  .strictObject({
    endpoints: z
      .array(z.string().regex(/^https?:\/\/[^/\s]+:[0-9]+$/, 'must be http://HOST:PORT or https://HOST:PORT'))
      .min(1)
      .describe('URLs of the members, `http://HOST:PORT` or `https://HOST:PORT`, all with the same scheme. One that answers is enough.'),
    prefix: z
      .string()
      .max(128)
      .regex(/^[^\0]*[:/]$/, 'must end with ":" or "/"')
      .default('continuo:')
      .describe(
        'What all keys in etcd begin with; ends with `:` or `/`. Control planes of one cluster share it; it is not the beginning of a prefix of anybody else.',
      ),
    tls: z
      .strictObject({
        ca: z
          .string()
          .optional()
          .describe('Certificates of the authorities that members are checked against, PEM. Unset: those of the system.'),
        cert: z.string().optional().describe('Certificate of this client, PEM.'),
        key: z.string().optional().describe('Its private key, PEM.'),
      })
      .refine(({ cert, key }) => (cert === undefined) === (key === undefined), 'cert and key stand together')
      .optional()
      .describe('For https: `ca`, `cert` and `key` as PEM, each usually by `{fromFile: …}`.'),
    requestTimeoutSeconds: z
      .number()
      .min(0.5)
      .max(60)
      .default(5)
      .describe('How long one call may take. A write that was sent and not answered by then has an unknown outcome.'),
    connectTimeoutSeconds: z
      .number()
      .min(0.1)
      .max(60)
      .default(2)
      .describe('How long a member may take to answer when it is connected to; then others are taken.'),
  })
  .refine(({ endpoints }) => new Set(endpoints.map((endpoint) => endpoint.split(':')[0])).size <= 1, {
    path: ['endpoints'],
    message: 'all are http or all are https',
  })
  .refine(({ endpoints, tls }) => tls === undefined || endpoints.every((endpoint) => endpoint.startsWith('https:')), {
    path: ['tls'],
    message: 'endpoints are http: write https',
  })

/** Keeps the objects of the cluster in etcd, where several control planes share them. */
export const storeEtcd = definePlugin({
  name: 'store-etcd',
  api: '^1',
  config: storeEtcdConfig,
  provides: [StoreCap],
  async setup(ctx) {
    const { endpoints, prefix, tls, requestTimeoutSeconds, connectTimeoutSeconds } = ctx.config
    const calls = ctx.metrics.histogram('store_etcd_request_duration_seconds', 'Time of calls of etcd, by outcome.', {
      labels: ['operation', 'outcome'],
    })
    const connections = ctx.metrics.counter('store_etcd_connections_total', 'Connections to members of etcd.', ['endpoint'])
    const store = new EtcdStore({
      endpoints,
      prefix,
      ...(tls === undefined ? {} : { tls }),
      requestTimeoutMs: requestTimeoutSeconds * 1_000,
      connectTimeoutMs: connectTimeoutSeconds * 1_000,
      clock: ctx.clock,
      random: ctx.random,
      onCall: ({ operation, outcome, seconds }) => calls.observe(seconds, { operation, outcome }),
      onConnected: (endpoint) => {
        connections.inc({ endpoint })
        ctx.log.info({ endpoint }, 'connected to etcd')
      },
    })
    ctx.onStop(() => store.close())
    ctx.provide(StoreCap, store)
    ctx.log.info({ version: await store.connect(), prefix }, 'store opened')
  },
})
