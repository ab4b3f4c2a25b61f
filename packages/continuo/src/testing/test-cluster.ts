import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AnyPlugin,
  type Clock,
  type ClusterSlotConfig,
  createMetrics,
  definePlugin,
  type Log,
  memoryStore,
  type ObjectClient,
  type Random,
  systemClock,
} from '@continuo/core'
import * as controllers from '@continuo/plugin-controllers'
import { nodeAgent, nodeConnections } from '@continuo/plugin-node'
import { probe } from '@continuo/plugin-probe'
import { scheduler } from '@continuo/plugin-scheduler'
import { volumeLocal } from '@continuo/plugin-volume-local'
import { type SimulatedProgram, SimulatedRuntime } from '@continuo/testkit'
import { RuntimeCap, workloadKinds } from '@continuo/workload'
import { Cluster } from '../cluster/cluster.ts'
import { keepAlive } from '../keep-alive.ts'

export interface TestClusterOptions {
  /** Nodes with simulated containers. Default 1; 0 is a control plane alone. */
  readonly nodes?: number
  /** What each node has. Default 4 cores and 16 GiB. */
  readonly capacity?: { readonly cpu?: string; readonly memory?: string }
  /** What containers do, by image. Every other image runs until it is stopped. */
  readonly programs?: Readonly<Record<string, SimulatedProgram>>
  readonly missingImages?: ReadonlySet<string>
  /** Default: the real clock. A virtual one makes hours pass in milliseconds. */
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Log
  /** Further plugins, or others for slots of the cluster; `null` leaves a slot out. Your operator goes here. */
  readonly plugins?: Readonly<Record<string, AnyPlugin | { readonly plugin: AnyPlugin; readonly config?: unknown } | null>>
}

/** A cluster in this process: nothing listens, nothing runs, everything else is real. */
export interface TestCluster extends AsyncDisposable {
  readonly client: ObjectClient
  readonly cluster: Cluster
  /** By node name: to crash containers and look at what runs. */
  readonly runtimes: ReadonlyMap<string, SimulatedRuntime>
  /** Polls until the check stops throwing and resolves with its value; throws its last error after `timeoutMs` (default 10 s) of real time. */
  eventually<T>(check: () => T | Promise<T>, timeoutMs?: number): Promise<T>
  stop(): Promise<void>
}

/**
 * Starts a whole control plane with simulated nodes in this process, in well under a second: scheduler, controllers and agents are
 * the real ones, over the in-memory store and the local client.
 * @example
 * await using cluster = await startTestCluster({ nodes: 3, plugins: { operator: myOperator } })
 * await cluster.client.for(Deployment).create(web)
 * await cluster.eventually(async () => expect((await cluster.client.for(Deployment).get('default/web')).status?.readyReplicas).toBe(3))
 */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const clock = options.clock ?? systemClock
  const directory = await mkdtemp(join(tmpdir(), 'continuo-test-'))
  const runtimes = new Map<string, SimulatedRuntime>()
  const nodes = Array.from({ length: options.nodes ?? 1 }, (_, index) => {
    const name = `node-${index + 1}`
    const runtime = new SimulatedRuntime({
      clock,
      programs: options.programs,
      missingImages: options.missingImages,
      network: `10.${index % 256}`,
    })
    runtimes.set(name, runtime)
    return { name, slots: nodeSlots(name, runtime, join(directory, name), options) }
  })
  const cluster = new Cluster({
    config: { name: 'test', roles: nodes.length === 0 ? ['control-plane'] : ['control-plane', 'node'], slots: chosenSlots(options) },
    nodes,
    dataDir: directory,
    clock,
    random: options.random,
    log: options.log,
    metrics: createMetrics(),
  })
  // Timers of hosts do not keep a process alive, and a script that waits for a cluster wants to wait.
  const letGo = keepAlive()
  const stop = async (): Promise<void> => {
    letGo()
    await cluster.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await cluster.start()
  } catch (error) {
    letGo()
    await rm(directory, { recursive: true, force: true })
    throw error
  }
  return { client: cluster.client, cluster, runtimes, stop, [Symbol.asyncDispose]: stop, eventually }
}

function chosenSlots(options: TestClusterOptions): readonly ClusterSlotConfig[] {
  const slots = new Map<string, ClusterSlotConfig>()
  const put = (slot: string, plugin: AnyPlugin, config?: unknown) => slots.set(slot, { slot, plugin, config })
  put('store', memoryStore)
  put('kinds', workloadKinds)
  put('connections', nodeConnections)
  put('scheduler', scheduler)
  for (const [name, plugin] of Object.entries(controllers)) put(name, plugin as AnyPlugin)
  put('probes', probe)
  put('volumes', volumeLocal)
  for (const [slot, chosen] of Object.entries(options.plugins ?? {})) {
    if (chosen === null) slots.delete(slot)
    else if ('plugin' in chosen) put(slot, chosen.plugin, chosen.config)
    else put(slot, chosen)
  }
  return [...slots.values()]
}

function nodeSlots(name: string, runtime: SimulatedRuntime, directory: string, options: TestClusterOptions): readonly ClusterSlotConfig[] {
  const simulated = definePlugin({
    name: 'runtime-simulated',
    api: '^1',
    roles: ['node'],
    provides: [RuntimeCap],
    setup: (ctx) => ctx.provide(RuntimeCap, runtime),
  })
  const capacity = { cpu: options.capacity?.cpu ?? '4', memory: options.capacity?.memory ?? '16Gi' }
  return [
    { slot: 'runtime', plugin: simulated },
    { slot: 'agent', plugin: nodeAgent, config: { nodeName: name, address: '127.0.0.1', directory, capacity } },
  ]
}

async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 10_000): Promise<T> {
  const deadline = systemClock.monotonic() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (systemClock.monotonic() > deadline) throw error
    }
    await systemClock.sleep(20)
  }
}
