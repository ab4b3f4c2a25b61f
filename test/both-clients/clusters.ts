import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createHost,
  definePlugin,
  type Host,
  HostSettingsCap,
  type Inherited,
  loadCluster,
  type ObjectClient,
  ObjectClientCap,
  type SlotSpec,
  slotsFor,
  systemClock,
} from '@continuo/core'
import { renderKubeconfig } from '@continuo/lib-certificates'
import { clientHttp } from '@continuo/plugin-client-http'
import * as controllers from '@continuo/plugin-controllers'
import { nodeAgent } from '@continuo/plugin-node'
import { probe } from '@continuo/plugin-probe'
import { scheduler } from '@continuo/plugin-scheduler'
import { volumeLocal } from '@continuo/plugin-volume-local'
import { SimulatedRuntime } from '@continuo/testkit'
import { RuntimeCap } from '@continuo/workload'
import { localClient, type RunningApi, startApi } from '../client-http/running-api.ts'

/** A control plane in three hosts: the API, scheduler and controllers, one node. */
export interface SpreadCluster extends AsyncDisposable {
  readonly api: RunningApi
  /** Of the API's own process: to look at what came out, whichever way it was made. */
  readonly client: ObjectClient
  readonly runtime: SimulatedRuntime
  readonly hosts: { readonly controllers: Host; readonly node: Host }
  [Symbol.asyncDispose](): Promise<void>
}

/** How the hosts beside the API reach it: a slot, or what they inherit. */
type Reach = (
  api: RunningApi,
  directory: string,
) => Promise<{ readonly slots: readonly SlotSpec[]; readonly inherit: readonly Inherited[] }>

/** Everything in one process, as the reference distribution does. */
export const locally: Reach = async (api) => ({ slots: [], inherit: [[ObjectClientCap, localClient(api)]] })

/** Nothing but the API's address and a certificate. */
export const remotely: Reach = async (api) => ({
  slots: [{ slot: 'client', plugin: clientHttp, config: { ...api.access } }],
  inherit: [],
})

/** What only works in the process of the API: it takes part in its writes, or asks its registry. */
const besideStore = new Set(['serviceAllocator', 'defaultTolerations', 'expiry'])
const slotsOf = (inApi: boolean): readonly SlotSpec[] =>
  Object.entries(controllers)
    .filter(([name]) => besideStore.has(name) === inApi)
    .map(([slot, plugin]) => ({ slot, plugin }))

export const nodeName = 'node-1'

/** Slots of a node on simulated containers. */
export const nodeSlots = (runtime: SimulatedRuntime, directory: string): readonly SlotSpec[] => [
  {
    slot: 'runtime',
    plugin: definePlugin({
      name: 'runtime-simulated',
      api: '^1',
      roles: ['node'],
      provides: [RuntimeCap],
      setup: (ctx) => ctx.provide(RuntimeCap, runtime),
    }),
  },
  {
    slot: 'agent',
    plugin: nodeAgent,
    config: { nodeName, address: '127.0.0.1', directory, capacity: { cpu: '4', memory: '8Gi' }, relistMs: 200 },
  },
  { slot: 'probes', plugin: probe },
  { slot: 'volumes', plugin: volumeLocal },
]

export async function startSpread(reach: Reach): Promise<SpreadCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'continuo-spread-'))
  const api = await startApi({ plugins: slotsOf(true) })
  const runtime = new SimulatedRuntime({ clock: systemClock })
  const { slots, inherit } = await reach(api, directory)
  const own = [HostSettingsCap, { dataDir: directory, clusterName: 'test' }] as const
  const hosts = {
    controllers: createHost({
      name: 'controllers',
      role: 'control-plane',
      inherit: [own, ...inherit],
      plugins: [...slots, { slot: 'scheduler', plugin: scheduler }, ...slotsOf(false)],
    }),
    node: createHost({ name: nodeName, role: 'node', inherit: [own, ...inherit], plugins: [...slots, ...nodeSlots(runtime, directory)] }),
  }
  await hosts.controllers.start()
  await hosts.node.start()
  return {
    api,
    client: localClient(api),
    runtime,
    hosts,
    async [Symbol.asyncDispose]() {
      await hosts.node.stop()
      await hosts.controllers.stop()
      await api[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A node as its own config file describes it: with a kubeconfig, and nothing else in common with the API. */
export async function nodeFromConfigFile(api: RunningApi, runtime: SimulatedRuntime) {
  const directory = await mkdtemp(join(tmpdir(), 'continuo-node-'))
  const { certificate, privateKey } = await api.endpoint.issue(
    { name: `system:node:${nodeName}`, groups: ['system:nodes', 'system:masters'] },
    1,
  )
  await writeFile(
    join(directory, 'kubeconfig'),
    renderKubeconfig({ name: 'test', server: api.endpoint.url, authority: api.endpoint.authority, client: { certificate, privateKey } }),
  )
  const file = join(directory, 'continuo.yaml')
  await writeFile(
    file,
    `version: 1
roles: [node]
plugins:
  client: { use: "@continuo/plugin-client-http", with: { kubeconfig: ${JSON.stringify(join(directory, 'kubeconfig'))} } }
  agent: { use: "@continuo/plugin-node", with: { nodeName: ${nodeName}, address: 127.0.0.1, directory: ${JSON.stringify(directory)}, relistMs: 200 } }
  volumes: { use: "@continuo/plugin-volume-local" }
  probes: { use: "@continuo/plugin-probe" }
`,
  )
  const config = await loadCluster(file, { fallbackImport: (specifier) => import(/* @vite-ignore */ specifier) })
  const host = createHost({
    name: nodeName,
    role: 'node',
    plugins: [...slotsFor(config, 'node'), ...nodeSlots(runtime, directory).filter(({ slot }) => slot === 'runtime')],
  })
  return {
    host,
    async [Symbol.asyncDispose]() {
      await host.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
