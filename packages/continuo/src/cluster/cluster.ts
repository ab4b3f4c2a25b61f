import {
  type AnyCapability,
  type Clock,
  type ClusterConfig,
  type ClusterSlotConfig,
  ContinuoError,
  createHost,
  type Host,
  type HostRole,
  HostSettingsCap,
  type Inherited,
  type Log,
  type Metrics,
  type ObjectClient,
  ObjectClientCap,
  type Random,
  silentLog,
} from '@continuo/core'
import { NodeUplinkCap } from '@continuo/workload'

/** One node host of this process. */
export interface NodeHostOptions {
  readonly name: string
  /** Replaces or adds to the slots that every node gets. */
  readonly slots?: readonly ClusterSlotConfig[]
}

/** What the hosts of a cluster are made of: a loaded config file, or the same made by hand. */
export type ClusterComposition = Pick<ClusterConfig, 'name' | 'roles' | 'slots'> &
  Partial<Pick<ClusterConfig, 'leaderElection' | 'removed'>>

export interface ClusterOptions {
  readonly config: ClusterComposition
  /** Default: one node without a name of its own when `roles` has `node`. */
  readonly nodes?: readonly NodeHostOptions[]
  readonly dataDir: string
  readonly listen?: string
  readonly log?: Log
  readonly clock?: Clock
  readonly random?: Random
  readonly metrics?: Metrics
}

/** What nodes in the process of their control plane take over from it; all else they get through the API. */
const shared: readonly AnyCapability[] = [ObjectClientCap, NodeUplinkCap]

/**
 * The hosts of one process: a control plane, nodes, or both. They start in this order and stop in reverse.
 * Nodes beside a control plane speak with it through its object client; nodes alone need a plugin that provides one.
 */
export class Cluster {
  readonly name: string
  readonly #options: ClusterOptions
  readonly #hosts: Host[] = []

  constructor(options: ClusterOptions) {
    this.name = options.config.name
    this.#options = options
  }

  get hosts(): readonly Host[] {
    return this.#hosts
  }

  get controlPlane(): Host | undefined {
    return this.#hosts.find((host) => host.role === 'control-plane')
  }

  /** The client of the first host. Throws `CLUSTER_NOT_STARTED` before {@link Cluster.start}. */
  get client(): ObjectClient {
    const host = this.#hosts[0]
    if (host === undefined) throw new ContinuoError('CLUSTER_NOT_STARTED', `cluster ${this.name} has not been started`)
    return host.use(ObjectClientCap)
  }

  /** Every host of this process as it would start; for checks and plans, without side effects. */
  prepare(): readonly Host[] {
    const control = this.#options.config.roles.includes('control-plane') ? [this.#makeHost('control-plane', this.name, [], [])] : []
    return [...control, ...this.#nodes().map((node) => this.#makeHost('node', node.name, node.slots ?? [], this.#promised()))]
  }

  /** Resolves when every host is ready. A failure stops what had started. */
  async start(signal?: AbortSignal): Promise<void> {
    try {
      if (this.#options.config.roles.includes('control-plane'))
        await this.#launch(this.#makeHost('control-plane', this.name, [], []), signal)
      for (const node of this.#nodes()) await this.#launch(this.#makeHost('node', node.name, node.slots ?? [], this.#handedOver()), signal)
    } catch (error) {
      await this.stop().catch(() => {})
      throw error
    }
  }

  async stop(): Promise<void> {
    const failures: unknown[] = []
    for (const host of this.#hosts.splice(0).reverse()) await host.stop().catch((error) => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures, `cluster ${this.name} did not stop cleanly`)
  }

  #nodes(): readonly NodeHostOptions[] {
    if (!this.#options.config.roles.includes('node')) return []
    return this.#options.nodes ?? [{ name: `${this.name}-node` }]
  }

  async #launch(host: Host, signal: AbortSignal | undefined): Promise<void> {
    this.#hosts.push(host)
    await host.start(signal)
  }

  #makeHost(role: HostRole, name: string, extra: readonly ClusterSlotConfig[], inherit: readonly Inherited[]): Host {
    const { config, dataDir, listen, clock, random, metrics, log = silentLog } = this.#options
    const slots = new Map([...this.#options.config.slots, ...extra].map((slot) => [slot.slot, slot]))
    return createHost({
      name,
      role,
      plugins: [...slots.values()].filter((slot) => runsIn(slot, role)).map(({ slot, plugin, config }) => ({ slot, plugin, config })),
      inherit: [[HostSettingsCap, { dataDir, clusterName: this.name, listen }], ...inherit],
      log: log.child({ host: name }),
      clock,
      random,
      metrics,
      leaderElection: config.leaderElection,
      removed: config.removed,
      // Freezing finds plugins that change shared objects; whoever runs a cluster has no use for its cost.
      freeze: process.env.NODE_ENV === 'development' || process.env.NODE_ENV === 'test',
    })
  }

  #handedOver(): readonly Inherited[] {
    const control = this.controlPlane
    if (control === undefined) return []
    return shared.flatMap((capability): Inherited[] => {
      try {
        return [[capability, control.use(capability)]]
      } catch {
        return []
      }
    })
  }

  /** Stands for what a control plane would hand over, so that nodes can be checked before anything runs. */
  #promised(): readonly Inherited[] {
    return this.#options.config.roles.includes('control-plane') ? shared.map((capability): Inherited => [capability, {}]) : []
  }
}

const runsIn = (slot: ClusterSlotConfig, role: HostRole): boolean =>
  (slot.plugin.roles ?? ['control-plane']).includes(role) && (slot.roles ?? [role]).includes(role)
