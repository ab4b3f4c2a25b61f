export type { StandardSchemaV1 } from '@standard-schema/spec'

import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AdmissionRequest } from '../admission/admission.ts'
import type { AnyCapability, Capability, Resolved } from '../capability/capability.ts'
import type { Fence } from '../client/caller.ts'
import type { ObjectClient } from '../client/object-client.ts'
import type { Cancel, Clock } from '../clock/clock.ts'
import type { ControllerSpec } from '../controller/controller.ts'
import type { Decide } from '../decision/decision.ts'
import type { EventType } from '../hooks/event.ts'
import type { AnyHook, Hook, Tap, TapOptions } from '../hooks/hook.ts'
import type { Informer, InformerOptions } from '../informer/informer.ts'
import type { Log } from '../log/log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { GroupVersionResource } from '../objects/names.ts'
import type { KubeObject, UnstructuredObject } from '../objects/object.ts'
import type { Random } from '../random/random.ts'
import type { Kind, ResourceDefinition } from '../resources/resource.ts'

export type HostRole = 'control-plane' | 'node'

/** Groups in which a host starts; within one, plugins start in order of their dependencies. */
export type StartGroup = 'stores' | 'informers' | 'servers' | 'controllers' | 'ready'

export type Requirements = Readonly<Record<string, AnyCapability>>

export type Used<R extends Requirements> = {
  readonly [K in keyof R]: Resolved<R[K]>
}

/** One rule of the roles that a remote plugin is given. */
export interface PermissionRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** What a plugin's admission does; see {@link AdmissionRequest}. */
export interface AdmissionSpec {
  /** Kinds that it reads: their caches are complete before the host is ready. */
  readonly reads?: readonly Kind[]
  mutate?(request: AdmissionRequest): void | Promise<void>
  validate?(request: AdmissionRequest): void | Promise<void>
}

export interface HealthCheck {
  readonly name: string
  /** It is about something outside this process, which starting the process anew does not mend: `/livez` leaves it out. */
  readonly readinessOnly?: boolean
  /** Resolves when healthy; throws with the reason when not. Must answer within a second. */
  check(): void | Promise<void>
}

/** What work during one term of leadership gets. */
export interface Lead {
  /** Its writes carry the fence. */
  readonly client: ObjectClient
  /** For commits beside the client. Absent where nobody else can lead. */
  readonly fence?: Fence
  /** Aborts when the term ends. */
  readonly signal: AbortSignal
}

/**
 * What a plugin works with. Everything made through it belongs to the plugin's scope and ends with it:
 * timers, taps, informers, controllers. Call `provide` during `setup` only.
 */
export interface PluginContext<C = unknown, R extends Requirements = Requirements> {
  /** The slot's name in the config file. */
  readonly name: string
  readonly role: HostRole
  readonly config: C
  readonly use: Used<R>
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  readonly metrics: Metrics
  readonly decide: Decide
  /** Aborts when the plugin is stopped. */
  readonly signal: AbortSignal
  /** Bound to this plugin's identity. Throws `PLUGIN_NO_CLIENT` in a host without an object client. */
  readonly client: ObjectClient
  /**
   * As {@link PluginContext.client}, for what a leader writes beside its controllers and tasks, whose clients carry their term already:
   * an event recorder, for one. Once another process leads, its writes are refused with `Conflict`.
   */
  readonly leaderClient: ObjectClient

  provide<T>(capability: Capability<T>, implementation: T, key?: string): void
  tap<T extends object>(hook: Hook<T>, tap: Tap<T>, options?: TapOptions): void
  /** Calls a hook that this plugin owns. */
  call<T extends object>(hook: Hook<T>, argument: T): Promise<T>
  isIdle(hook: AnyHook): boolean
  emit<T>(event: EventType<T>, value: T): void
  on<T>(event: EventType<T>, listener: (value: T) => void): void
  admission(spec: AdmissionSpec): void

  /** Synced before servers start. */
  informer<T extends KubeObject>(kind: Kind<T>, options?: InformerOptions<T>): Informer<T>
  /** Follows the registry: starts when the resource appears, empties when it goes. Never delays readiness. */
  dynamic(resource: GroupVersionResource, options?: InformerOptions<UnstructuredObject>): Informer<UnstructuredObject>
  controller<T extends KubeObject>(spec: ControllerSpec<T>): void
  /** Runs while this process leads, or always in a host without leader election; restarted when it throws. */
  whileLeading(name: string, run: (lead: Lead) => Promise<void>): void

  after(ms: number, callback: () => void | Promise<void>): Cancel
  every(ms: number, callback: () => void | Promise<void>): Cancel
  /** Runs when the host reaches the group. */
  onStart(group: StartGroup, start: (signal: AbortSignal) => void | Promise<void>): void
  /** Runs in reverse order of registration, each with its deadline, even if an earlier one failed. */
  onStop(stop: () => void | Promise<void>): void
  health(check: HealthCheck): void
}

type StaticOr<C, T> = T | ((config: C) => T)

export interface PluginDefinition<C = unknown, R extends Requirements = Requirements> {
  /** The plugin's own name, such as `store-sqlite`; for messages. */
  readonly name: string
  /** Range of core's API version that it works with; checked before anything runs. */
  readonly api: string
  /** Default: `['control-plane']`. */
  readonly roles?: readonly HostRole[]
  /** Any Standard Schema (zod, valibot, arktype). Without one the plugin takes no configuration. */
  readonly config?: StandardSchemaV1<unknown, C>
  readonly requires?: R
  /** Each must be provided by `setup`, and nothing else may. */
  readonly provides?: StaticOr<C, readonly AnyCapability[]>
  /** Resources that it adds to the registry. */
  readonly kinds?: StaticOr<C, readonly ResourceDefinition[]>
  /** Hooks that it taps, for plans, which run nothing. When declared, tapping another one is an error. */
  readonly taps?: StaticOr<C, readonly AnyHook[]>
  /** Kinds that it uses through `ctx.informer` and `ctx.controller`. */
  readonly permissions?: StaticOr<C, readonly PermissionRule[]>
  setup?(ctx: PluginContext<C, R>): void | Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: plugins of every shape meet in lists
export type AnyPlugin = PluginDefinition<any, any>

/** A plugin with its configuration, as a TypeScript config file names it. */
export interface ConfiguredPlugin {
  readonly plugin: AnyPlugin
  readonly config: unknown
}

/** A plugin as its package exports it. */
export type Plugin<C = unknown, R extends Requirements = Requirements> = PluginDefinition<C, R> & {
  /** Pairs it with configuration for `defineCluster` and `createHost`. */
  with(config: unknown): ConfiguredPlugin
}

/**
 * Declares a plugin; types of `ctx.config` and `ctx.use` follow from `config` and `requires`.
 * @example
 * export default definePlugin({
 *   name: 'greeter', api: '^1', requires: { clock: ClockCap },
 *   setup(ctx) { ctx.every(1_000, () => ctx.log.info({ at: ctx.use.clock.now() }, 'hello')) },
 * })
 */
export function definePlugin<C = undefined, const R extends Requirements = Record<never, never>>(
  definition: PluginDefinition<C, R>,
): Plugin<C, R> {
  return { ...definition, with: (config) => ({ plugin: definition, config }) }
}
