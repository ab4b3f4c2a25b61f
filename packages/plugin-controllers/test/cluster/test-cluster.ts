import {
  type AnyPlugin,
  type Clock,
  createHost,
  createMemoryStore,
  definePlugin,
  type Host,
  type ObjectClient,
  ObjectClientCap,
  type SlotSpec,
  StoreCap,
} from '@continuo/core'
import { workloadKinds } from '@continuo/workload'

const memoryStore = definePlugin({
  name: 'memory-store',
  api: '^1',
  provides: [StoreCap],
  setup: (ctx) => ctx.provide(StoreCap, createMemoryStore()),
})

/** An API, and the client through which controllers and tests reach it. */
export interface RunningApi {
  readonly host: Host
  readonly client: ObjectClient
  stop(): Promise<void>
}

/** Starts an API with these plugins beside the kinds: local here; a suite over HTTP passes its own. */
export type StartApi = (plugins: readonly SlotSpec[], clock: Clock | undefined) => Promise<RunningApi>

const local: StartApi = async (plugins, clock) => {
  const host = createHost({
    name: 'api',
    role: 'control-plane',
    leaderElection: false,
    ...(clock && { clock }),
    plugins: [{ slot: 'store', plugin: memoryStore }, { slot: 'kinds', plugin: workloadKinds }, ...plugins],
  })
  await host.start()
  return { host, client: host.use(ObjectClientCap), stop: () => host.stop() }
}

export interface TestCluster extends AsyncDisposable {
  /** Speaks with the API as the controllers do. */
  readonly client: ObjectClient
  /** The host of the API, for what only its own process can do. */
  readonly api: Host
  readonly controllers: Host
}

type Slots = Readonly<Record<string, AnyPlugin | SlotSpec>>

const slotsOf = (plugins: Slots = {}): SlotSpec[] =>
  Object.entries(plugins).map(([slot, plugin]) => ('plugin' in plugin ? (plugin as SlotSpec) : { slot, plugin }))

/** An API with `admission` plugins, and beside it a host that runs `controllers` and knows the API only through a client. */
export async function startCluster(
  plugins: { readonly controllers?: Slots; readonly admission?: Slots; readonly clock?: Clock },
  startApi: StartApi = local,
): Promise<TestCluster> {
  const { host, client, stop } = await startApi(slotsOf(plugins.admission), plugins.clock)
  const controllers = createHost({
    name: 'controllers',
    role: 'control-plane',
    leaderElection: false,
    ...(plugins.clock && { clock: plugins.clock }),
    inherit: [[ObjectClientCap, client]],
    plugins: slotsOf(plugins.controllers),
  })
  await controllers.start()
  return {
    client,
    api: host,
    controllers,
    async [Symbol.asyncDispose]() {
      await controllers.stop()
      await stop()
    },
  }
}

/** Polls until the probe gives a value, or fails with what it saw last. */
export async function eventually<T>(probe: () => Promise<T | undefined | false>, what: string, ms = 5000): Promise<T> {
  const end = performance.now() + ms
  let last: unknown
  while (performance.now() < end) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new TypeError(`waited ${ms} ms for: ${what}`, { cause: last })
}
