import type { Capability, Cardinality, Resolved } from '../capability/capability.ts'
import type { Clock } from '../clock/clock.ts'
import type { ElectionOptions } from '../leader/election-options.ts'
import type { Log } from '../log/log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { AnyPlugin, HostRole } from '../plugin/plugin.ts'
import type { Random } from '../random/random.ts'
import type { SlotSpec } from './checked-slot.ts'
import type { HealthResult } from './health.ts'
import type { Plan } from './plan.ts'
import type { Problem } from './problem.ts'
import { RunningHost } from './running-host.ts'

// biome-ignore lint/suspicious/noExplicitAny: capabilities of every type meet in one list
export type Inherited = readonly [capability: Capability<any, Cardinality>, implementation: unknown]

export interface HostOptions {
  /** For logs, leases and plans. */
  readonly name: string
  readonly role: HostRole
  readonly plugins: readonly SlotSpec[]
  /** Capabilities from outside: of another host in this process, or of the program that embeds this one. */
  readonly inherit?: readonly Inherited[]
  /** Default: the real clock. */
  readonly clock?: Clock
  /** Default: the platform's. */
  readonly random?: Random
  /** Default: silent. */
  readonly log?: Log
  readonly metrics?: Metrics
  /**
   * `false`: this process is alone and leads from start to stop. Default: an election, unless the store of this host has a sole writer
   * or the role is `node`.
   */
  readonly leaderElection?: boolean | ElectionOptions
  /** Freezes what informers hand out. Default: unless `NODE_ENV` is `production`. */
  readonly freeze?: boolean
  /** Informers ask for their initial state as a stream (WatchList). Default false. */
  readonly streamingList?: boolean
  /** Time that each step of the stop path has. Default 10 s. */
  readonly stopTimeoutMs?: number
  /** Slots that a config file removed, for hints of the check. */
  readonly removed?: readonly {
    readonly slot: string
    readonly plugin: AnyPlugin
  }[]
}

export type HostStatus = 'created' | 'starting' | 'ready' | 'swapping' | 'stopping' | 'stopped' | 'failed'

/** One role of one process: plugins, wired and running. */
export interface Host {
  readonly name: string
  readonly role: HostRole
  readonly status: HostStatus
  /** Every plugin has started, and the host is not stopping. */
  readonly ready: boolean
  /** This process leads now: its controllers work. */
  readonly leading: boolean
  /** Every fault of the plugins and their configuration, without side effects. */
  check(): Promise<readonly Problem[]>
  /** Checks, sets up and starts everything; resolves when ready. Throws {@link CheckError} or the first failure, after walking the stop path. */
  start(signal?: AbortSignal): Promise<void>
  /** Stops in reverse order, each step with its deadline and although an earlier one failed; then throws one AggregateError if any did. */
  stop(): Promise<void>
  health(): Promise<readonly HealthResult[]>
  /** An implementation, for the program that embeds the host. Swappable ones stay valid through swaps. Throws `CAPABILITY_MISSING`. */
  use<T, C extends Cardinality>(capability: Capability<T, C>): Resolved<Capability<T, C>>
  /** The graph as data; of a running host with the taps that it has now. */
  plan(): Promise<Plan>
  /**
   * Replaces the plugin of a slot while running: it and everything that requires it, directly or not, is stopped, set up and started again.
   * A faulty replacement is refused before anything stops; one that fails to start gives way to the old one again and `SWAP_FAILED` is thrown.
   */
  swap(slot: string, plugin: AnyPlugin, config?: unknown): Promise<void>
  /** Timers, taps, listeners and watches that are alive: what a test of leaks compares. */
  resources(): Readonly<Record<'scopes' | 'taps' | 'listeners' | 'informers', number>>
}

/**
 * Makes a host; nothing runs before `start`.
 * @example
 * const host = createHost({ name: 'demo', role: 'control-plane', plugins: [{ slot: 'store', plugin: memoryStore }, { slot: 'hello', plugin: hello }] })
 * await host.start()
 * const client = host.use(ObjectClientCap)
 */
export function createHost(options: HostOptions): Host {
  return new RunningHost(options)
}
