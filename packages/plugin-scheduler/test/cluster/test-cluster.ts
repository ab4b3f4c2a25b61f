import {
  type AnyPlugin,
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

/** How controllers reach the API: local here; a suite over HTTP passes its own. */
export type Connect = (controlPlane: Host) => Promise<{ readonly client: ObjectClient; close(): Promise<void> }>

const local: Connect = async (host) => ({ client: host.use(ObjectClientCap), close: async () => {} })

export interface TestCluster extends AsyncDisposable {
  /** Speaks with the API as the controllers do. */
  readonly client: ObjectClient
  /** The host of the API, for what only its own process can do. */
  readonly api: Host
}

type Slots = Readonly<Record<string, AnyPlugin | SlotSpec>>

const slotsOf = (plugins: Slots): SlotSpec[] =>
  Object.entries(plugins).map(([slot, plugin]) => ('plugin' in plugin ? (plugin as SlotSpec) : { slot, plugin }))

/**
 * An API on a memory store with `admission` plugins, and beside it a host that runs `controllers` and knows the API only through a client.
 */
export async function startCluster(
  plugins: { readonly controllers?: Slots; readonly admission?: Slots; readonly clock?: Parameters<typeof createHost>[0]['clock'] },
  connect: Connect = local,
): Promise<TestCluster> {
  const clock = plugins.clock === undefined ? {} : { clock: plugins.clock }
  const api = createHost({
    name: 'api',
    role: 'control-plane',
    leaderElection: false,
    ...clock,
    plugins: slotsOf({ store: memoryStore, kinds: workloadKinds, ...plugins.admission }),
  })
  await api.start()
  const { client, close } = await connect(api)
  const controllers = createHost({
    name: 'controllers',
    role: 'control-plane',
    leaderElection: false,
    ...clock,
    inherit: [[ObjectClientCap, client]],
    plugins: slotsOf(plugins.controllers ?? {}),
  })
  await controllers.start()
  return {
    client,
    api,
    async [Symbol.asyncDispose]() {
      await controllers.stop()
      await close()
      await api.stop()
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
