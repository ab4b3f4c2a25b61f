import {
  type AnyPlugin,
  type Clock,
  createHost,
  type Host,
  memoryStore,
  type ObjectClient,
  ObjectClientCap,
  type SlotSpec,
} from '@continuo/core'
import { workloadKinds } from '@continuo/workload'

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

export interface SplitCluster extends AsyncDisposable {
  /** Speaks with the API as the controllers do. */
  readonly client: ObjectClient
  /** The host of the API, for what only its own process can do. */
  readonly api: Host
  readonly controllers: Host
}

type Slots = Readonly<Record<string, AnyPlugin | SlotSpec>>

const slotsOf = (plugins: Slots = {}): SlotSpec[] =>
  Object.entries(plugins).map(([slot, plugin]) => ('plugin' in plugin ? (plugin as SlotSpec) : { slot, plugin }))

/**
 * An API with `admission` plugins over the in-memory store, and beside it a host that runs `controllers` and knows the API only through
 * a client: so a suite of controllers runs over every client.
 * @example await using cluster = await startSplitCluster({ controllers: { mine: myController } })
 */
export async function startSplitCluster(
  plugins: { readonly controllers?: Slots; readonly admission?: Slots; readonly clock?: Clock },
  startApi: StartApi = local,
): Promise<SplitCluster> {
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
