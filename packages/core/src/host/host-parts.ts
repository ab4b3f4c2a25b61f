import type { AnyCapability } from '../capability/capability.ts'
import { CapabilityContainer } from '../capability/container.ts'
import { type ObjectClient, ObjectClientCap } from '../client/object-client.ts'
import { type Clock, ClockCap } from '../clock/clock.ts'
import { systemClock } from '../clock/system-clock.ts'
import { type DecisionLog, DecisionLogCap } from '../decision/decision.ts'
import { createDecisionLog } from '../decision/decision-ring.ts'
import { ContinuoError } from '../errors/continuo-error.ts'
import { createEvents } from '../hooks/isolated-events.ts'
import { createHooks } from '../hooks/tapable-hooks.ts'
import { InformerHub } from '../informer/informer-hub.ts'
import { type Leadership, soleLeadership } from '../leader/leadership.ts'
import { LeaseElection } from '../leader/lease-election.ts'
import { type Log, LogCap, silentLog } from '../log/log.ts'
import { type Metrics, MetricsCap } from '../metrics/metrics.ts'
import { createMetrics } from '../metrics/simple-metrics.ts'
import type { HostRole } from '../plugin/plugin.ts'
import { type Random, RandomCap } from '../random/random.ts'
import { systemRandom } from '../random/system-random.ts'
import { type Registry, RegistryCap } from '../resources/registry.ts'
import type { Kind } from '../resources/resource.ts'
import { type Store, StoreCap } from '../store/store.ts'
import { boundClient } from './bound-client.ts'
import type { CheckedSlot } from './checked-slot.ts'
import { type Health, HealthCap } from './health.ts'
import type { HostOptions } from './host.ts'
import type { ContextHost } from './plugin-context.ts'

/** What a host brings itself unless a plugin provides it or it is inherited. */
export const defaultCapabilities: readonly AnyCapability[] = [ClockCap, RandomCap, LogCap, MetricsCap, DecisionLogCap, HealthCap]

/** What every plugin uses through its context: their providers are set up as early as possible. */
export const implicitCapabilities: readonly AnyCapability[] = [LogCap, MetricsCap, DecisionLogCap, ObjectClientCap]

const ownerOfDefaults = 'host'

/** The parts of one host that live as long as it does: container, hooks, events, informers, leadership. */
export class HostParts implements ContextHost {
  readonly role: HostRole
  readonly clock: Clock
  readonly random: Random
  readonly container = new CapabilityContainer()
  readonly hooks = createHooks()
  readonly events: ReturnType<typeof createEvents>
  readonly informers: InformerHub
  readonly client: ObjectClient
  readonly #options: HostOptions
  readonly #log: Log
  readonly #metrics: Metrics
  readonly #decisions: DecisionLog
  #leadership: Leadership
  #hasClient = false

  constructor(options: HostOptions) {
    this.#options = options
    this.role = options.role
    this.clock = options.clock ?? systemClock
    this.random = options.random ?? systemRandom
    this.#log = (options.log ?? silentLog).child({ host: options.name })
    this.#metrics = options.metrics ?? createMetrics()
    this.#decisions = createDecisionLog({
      clock: this.clock,
      random: this.random,
    })
    this.#leadership = soleLeadership(options.name)
    this.events = createEvents(this.#log)
    this.client = boundClient(() => this.container.current(ObjectClientCap) as ObjectClient)
    this.informers = new InformerHub({
      client: this.client,
      clock: this.clock,
      random: this.random,
      log: this.#log,
      freeze: options.freeze ?? process.env.NODE_ENV !== 'production',
      streamingList: options.streamingList,
      registry: () => this.registry,
    })
  }

  get log(): Log {
    return this.#provided(LogCap, this.#log)
  }

  get metrics(): Metrics {
    return this.#provided(MetricsCap, this.#metrics)
  }

  decisions(): DecisionLog {
    return this.#provided(DecisionLogCap, this.#decisions)
  }

  leadership(): Leadership {
    return this.#leadership
  }

  get hasClient(): boolean {
    return this.#hasClient
  }

  get registry(): Registry | undefined {
    return this.#provided<Registry | undefined>(RegistryCap, undefined)
  }

  /** Fills the container with what is inherited and with the defaults that no plugin replaces. */
  provideGiven(slots: readonly CheckedSlot[], health: Health): void {
    const inherited = this.#options.inherit ?? []
    for (const [capability, implementation] of inherited) this.container.provide(capability, implementation as object, 'inherited')
    const replaced = new Set([
      ...inherited.map(([capability]) => capability.key),
      ...slots.flatMap((slot) => slot.provides.map((capability) => capability.key)),
    ])
    this.#hasClient = replaced.has(ObjectClientCap.key)
    const defaults: readonly (readonly [AnyCapability, object])[] = [
      [ClockCap, this.clock],
      [RandomCap, this.random],
      [LogCap, this.#log],
      [MetricsCap, this.#metrics],
      [DecisionLogCap, this.#decisions],
      [HealthCap, health],
    ]
    for (const [capability, implementation] of defaults) {
      if (!replaced.has(capability.key)) this.container.provide(capability, implementation, ownerOfDefaults)
    }
  }

  /** Decides who leads, once the store is known: where it has a sole writer, nobody else can. */
  chooseLeadership(): void {
    const { leaderElection, name, role } = this.#options
    const store = this.#provided<Store | undefined>(StoreCap, undefined)
    const wanted = leaderElection ?? (role === 'control-plane' && store?.features.soleWriter !== true)
    if (wanted === false || !this.#hasClient) return
    this.#leadership = new LeaseElection({
      ...(wanted === true ? {} : wanted),
      hostName: name,
      client: this.client,
      clock: this.clock,
      random: this.random,
      log: this.log,
    })
  }

  assertKind(kind: Kind, plugin: string): void {
    const { registry } = this
    if (registry === undefined || registry.resolve(kind) !== undefined) return
    throw new ContinuoError(
      'INFORMER_UNKNOWN_KIND',
      `plugin ${plugin} uses ${kind.resource}.${kind.version}.${kind.group}, which no plugin of this host declares`,
      {
        hint: 'name the kind in `kinds` of a plugin, or use ctx.dynamic for resources that come and go',
      },
    )
  }

  #provided<T>(capability: AnyCapability, otherwise: T): T {
    return this.container.has(capability) ? (this.container.current(capability) as T) : otherwise
  }
}
