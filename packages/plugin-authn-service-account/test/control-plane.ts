import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AnyPlugin,
  type Clock,
  createHost,
  definePlugin,
  HostSettingsCap,
  MemoryStore,
  type ObjectClient,
  ObjectClientCap,
  StoreCap,
  systemClock,
  type UserInfo,
} from '@continuo/core'
import {
  type ApiRoute,
  ApiRouteCap,
  AuthenticatorCap,
  ClusterCaCap,
  ServiceAccount,
  type TokenRequest,
  workloadKinds,
} from '@continuo/workload'
import { onTestFinished } from 'vitest'
import { serviceAccountTokens } from '../src/index.ts'

export interface ControlPlane {
  readonly client: ObjectClient
  readonly directory: string
  /** Moves the wall clock. */
  pass(seconds: number): void
  /** Asks for a token of an account of the namespace `default`. */
  request(account: string, spec?: TokenRequest['spec'], name?: string): Promise<TokenRequest>
  token(account: string, spec?: TokenRequest['spec']): Promise<string>
  /** Whom the authenticator takes the token for. */
  user(token: string, audiences?: readonly string[]): Promise<UserInfo | undefined>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
  document(path: string): Promise<any>
  account(name: string): Promise<ServiceAccount>
  stop(): Promise<void>
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'continuo-tokens-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

export interface ControlPlaneOptions {
  readonly directory?: string
  readonly config?: Record<string, unknown>
  readonly more?: Readonly<Record<string, AnyPlugin>>
  readonly store?: MemoryStore
  /** No authority that clients would have to know. */
  readonly plainHttp?: boolean
}

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const directory = options.directory ?? (await temporaryDirectory())
  const store = options.store ?? new MemoryStore()
  let shift = 0
  const clock: Clock = {
    now: () => systemClock.now() + shift,
    monotonic: () => systemClock.monotonic(),
    after: (ms, callback) => systemClock.after(ms, callback),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    yield: () => systemClock.yield(),
  }
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    clock,
    inherit: [
      [HostSettingsCap, { dataDir: directory, clusterName: 'test' }],
      ...(options.plainHttp === true ? [] : [[ClusterCaCap, { certificate: 'PEM' }] as const]),
    ],
    plugins: [
      {
        slot: 'store',
        plugin: definePlugin({ name: 'kept', api: '^1', provides: [StoreCap], setup: (ctx) => ctx.provide(StoreCap, store) }),
      },
      { slot: 'kinds', plugin: workloadKinds },
      { slot: 'tokens', plugin: serviceAccountTokens, config: options.config },
      ...Object.entries(options.more ?? {}).map(([slot, plugin]) => ({ slot, plugin })),
    ],
  })
  await host.start()
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= host.stop())
  onTestFinished(stop)
  const client = host.use(ObjectClientCap)
  const request: ControlPlane['request'] = async (account, spec, name = account) => {
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name },
      ...(spec === undefined ? {} : { spec }),
    }
    const answer = await client.for(ServiceAccount).subresource('token').create({ namespace: 'default', name: account }, body)
    return answer as unknown as TokenRequest
  }
  return {
    client,
    directory,
    stop,
    request,
    pass: (seconds) => {
      shift += seconds * 1_000
    },
    token: async (account, spec) => (await request(account, spec)).status?.token as string,
    user: async (token, audiences) => {
      for (const [, one] of host.use(AuthenticatorCap)) {
        const user = await one.authenticate({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '', audiences })
        if (user !== undefined) return user
      }
      return undefined
    },
    document: async (path) => {
      const route = host.use(ApiRouteCap).get(path) as ApiRoute
      return JSON.parse(
        String((await route.get({ query: new URLSearchParams(), caller: { user: { username: 'x' }, trusted: false } })).body),
      )
    },
    account: (name) =>
      client.for(ServiceAccount).create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' } }),
  }
}
