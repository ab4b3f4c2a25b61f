import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AnyCapability,
  createHost,
  definePlugin,
  type Host,
  HostSettingsCap,
  MemoryStore,
  ObjectClientCap,
  type ResourceDefinition,
  type SlotSpec,
  type Store,
  StoreCap,
} from '@continuo/core'
import { apiHttp } from '@continuo/plugin-api-http'
import { createHttpClient, type HttpClient, type HttpClientOptions } from '@continuo/plugin-client-http'
import { type ApiEndpoint, ApiEndpointCap, AuthenticatorCap, workloadKinds } from '@continuo/workload'

/** A bearer token that the API under test knows as an administrator's. */
export const adminToken = 'test-token-of-an-administrator'

const tokens = definePlugin({
  name: 'tokens',
  api: '^1',
  provides: [AuthenticatorCap],
  setup: (ctx) =>
    ctx.provide(
      AuthenticatorCap,
      {
        authenticate: async ({ headers }) =>
          headers.authorization === `Bearer ${adminToken}` ? { username: 'token-admin', groups: ['system:masters'] } : undefined,
      },
      'test',
    ),
})

export interface RunningApi extends AsyncDisposable {
  readonly host: Host
  readonly store: Store
  readonly endpoint: ApiEndpoint
  /** What a client of the admin needs. */
  readonly access: HttpClientOptions
  /** Forgets every old version of every object. */
  compact(): Promise<void>
  connect(options?: Partial<HttpClientOptions>): Promise<HttpClient>
  [Symbol.asyncDispose](): Promise<void>
}

export interface ApiOptions {
  readonly kinds?: readonly ResourceDefinition[]
  readonly plugins?: readonly SlotSpec[]
  /** Default true: TLS with an authority of its own. */
  readonly tls?: boolean
  readonly inherit?: readonly (readonly [AnyCapability, unknown])[]
  /** Config of the plugin `api-http` beside this. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Instead of a free one. */
  readonly listen?: string
  readonly store?: Store
}

/** A control plane in this process that listens: memory store, core, the workload kinds and the API. */
export async function startApi({
  kinds = [],
  plugins = [],
  tls = true,
  inherit = [],
  config,
  listen,
  store = new MemoryStore(),
}: ApiOptions = {}): Promise<RunningApi> {
  const directory = await mkdtemp(join(tmpdir(), 'continuo-client-'))
  const memory = definePlugin({ name: 'memory', api: '^1', provides: [StoreCap], setup: (ctx) => ctx.provide(StoreCap, store) })
  const extra = definePlugin({ name: 'extra-kinds', api: '^1', kinds })
  const host = createHost({
    name: 'api',
    role: 'control-plane',
    leaderElection: false,
    inherit: [[HostSettingsCap, { dataDir: directory, clusterName: 'test', listen: listen ?? '127.0.0.1:0' }], ...inherit],
    plugins: [
      { slot: 'store', plugin: memory },
      { slot: 'kinds', plugin: workloadKinds },
      { slot: 'extra-kinds', plugin: extra },
      { slot: 'api', plugin: apiHttp, config: { tls, ...config } },
      { slot: 'tokens', plugin: tokens },
      ...plugins,
    ],
  })
  await host.start()
  const endpoint = host.use(ApiEndpointCap)
  const access: HttpClientOptions = {
    server: endpoint.url,
    ca: endpoint.authority,
    cert: endpoint.admin?.certificate,
    key: endpoint.admin?.privateKey,
  }
  const clients: HttpClient[] = []
  return {
    host,
    store,
    endpoint,
    access,
    compact: async () => store.compact(await store.head()),
    async connect(options = {}) {
      const client = await createHttpClient({ ...access, ...options })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.close()
      await host.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A local client of the same API. */
export const localClient = (api: RunningApi) => api.host.use(ObjectClientCap)
