import type { AnyCapability, Capability, Cardinality, Resolved } from '../capability/capability.ts'
import { ObjectClientCap } from '../client/object-client.ts'
import { withDeadline } from '../clock/deadline.ts'
import { ContinuoError, isContinuoError } from '../errors/continuo-error.ts'
import type { AnyPlugin } from '../plugin/plugin.ts'
import { PluginScope } from '../plugin/scope.ts'
import type { Registry } from '../resources/registry.ts'
import { withBuiltins } from './builtin-plugins.ts'
import { checkHost, type HostCheck } from './check-host.ts'
import type { CheckedSlot, SlotSpec } from './checked-slot.ts'
import { dependentsOf } from './graph.ts'
import type { HealthResult } from './health.ts'
import type { Host, HostOptions, HostStatus } from './host.ts'
import { defaultCapabilities, HostParts, implicitCapabilities } from './host-parts.ts'
import { PluginInstance, startGroups } from './instance.ts'
import { makePlan, type Plan } from './plan.ts'
import { createPluginContext } from './plugin-context.ts'
import { CheckError, type Problem } from './problem.ts'

const healthCheckMs = 1_000
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** See {@link Host}. */
export class RunningHost implements Host {
  readonly #options: HostOptions
  readonly #parts: HostParts
  readonly #instances = new Map<string, PluginInstance>()
  readonly #startAbort = new AbortController()
  /** The registry that knows the kinds of an instance. */
  readonly #registered = new WeakMap<PluginInstance, Registry>()
  #specs: readonly SlotSpec[]
  #checked: HostCheck | undefined
  #status: HostStatus = 'created'
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  /** Swaps run one after the other. */
  #operation: Promise<unknown> = Promise.resolve()

  constructor(options: HostOptions) {
    this.#options = options
    this.#parts = new HostParts(options)
    this.#specs = withBuiltins(options.plugins, this.#inherited())
  }

  get name() {
    return this.#options.name
  }

  get role() {
    return this.#options.role
  }

  get status() {
    return this.#status
  }

  get ready() {
    return this.#status === 'ready'
  }

  get leading() {
    return this.#parts.leadership().leading
  }

  async check(): Promise<readonly Problem[]> {
    return (await this.#check(this.#specs)).problems
  }

  async start(signal?: AbortSignal): Promise<void> {
    if (this.#status !== 'created')
      throw new ContinuoError('HOST_STATE', `host ${this.name} is ${this.#status} and cannot start`, { hint: 'make a new host' })
    this.#status = 'starting'
    const abort = (): void => this.#startAbort.abort(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    this.#starting = this.#boot().finally(() => signal?.removeEventListener('abort', abort))
    return this.#starting
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async health(): Promise<readonly HealthResult[]> {
    const checks = [...this.#instances.values()].flatMap((instance) =>
      [...instance.checks].map((check) => ({
        name: `${instance.name}/${check.name}`,
        check,
      })),
    )
    const results = checks.map(async ({ name, check }): Promise<HealthResult> => {
      try {
        await withDeadline(this.#parts.clock, healthCheckMs, `check ${name}`, () => check.check())
        return { name, ok: true }
      } catch (error) {
        return { name, ok: false, reason: messageOf(error) }
      }
    })
    const unsynced = [...this.#instances.values()].flatMap((instance) =>
      [...instance.informers].filter((informer) => !informer.synced).map((informer) => `${instance.name}: ${informer.kind.resource}`),
    )
    return [
      {
        name: 'started',
        ok: this.ready,
        ...(this.ready ? {} : { reason: `host ${this.name} is ${this.#status}` }),
      },
      {
        name: 'informer-sync',
        ok: unsynced.length === 0,
        ...(unsynced.length === 0 ? {} : { reason: `not synced: ${unsynced.join(', ')}` }),
      },
      ...(await Promise.all(results)),
    ]
  }

  use<T, C extends Cardinality>(capability: Capability<T, C>): Resolved<Capability<T, C>> {
    const given =
      capability.key === ObjectClientCap.key && this.#parts.hasClient
        ? this.#parts.client
        : this.#parts.container.resolve(capability, `host ${this.name}`)
    return given as Resolved<Capability<T, C>>
  }

  async plan(): Promise<Plan> {
    const { slots, graph, problems } = this.#checked ?? (await this.#check(this.#specs))
    if (problems.length > 0) throw new CheckError(`host ${this.name}`, problems)
    return makePlan({
      host: this.name,
      role: this.role,
      slots,
      graph,
      given: [...this.#inherited(), ...defaultCapabilities],
      hooks: this.#status === 'created' ? undefined : this.#parts.hooks.describe(),
    })
  }

  swap(slot: string, plugin: AnyPlugin, config?: unknown): Promise<void> {
    const swapped = this.#operation.then(() => this.#swap(slot, plugin, config))
    this.#operation = swapped.catch(() => {})
    return swapped
  }

  resources() {
    return {
      scopes: [...this.#instances.values()].reduce((sum, instance) => sum + instance.scope.size, 0),
      taps: this.#parts.hooks.describe().reduce((sum, hook) => sum + hook.taps.length, 0),
      listeners: this.#parts.events.listenerCount(),
      informers: this.#parts.informers.size,
    }
  }

  #inherited(): readonly AnyCapability[] {
    return (this.#options.inherit ?? []).map(([capability]) => capability)
  }

  #check(specs: readonly SlotSpec[]): Promise<HostCheck> {
    return checkHost({
      role: this.role,
      slots: specs,
      inherited: this.#inherited(),
      defaults: defaultCapabilities,
      implicit: implicitCapabilities,
      removed: this.#options.removed?.map(({ slot, plugin }) => ({
        slot,
        provides: Array.isArray(plugin.provides) ? plugin.provides : [],
      })),
    })
  }

  async #boot(): Promise<void> {
    try {
      const checked = await this.#check(this.#specs)
      if (checked.problems.length > 0) throw new CheckError(`host ${this.name}`, checked.problems)
      this.#checked = checked
      const host = this
      this.#parts.provideGiven(checked.slots, {
        get ready() {
          return host.ready
        },
        check: () => host.health(),
      })
      await this.#bringUp(checked.graph.order, true)
      this.#status = 'ready'
      this.#parts.log.info({ plugins: checked.slots.length }, 'host is ready')
    } catch (error) {
      const failures = await this.#takeDown()
      for (const failure of failures) this.#parts.log.warn({ err: failure }, 'stopping after a failed start')
      this.#status = 'failed'
      throw error
    }
  }

  /** Sets up and starts the named slots, providers first. */
  async #bringUp(order: readonly string[], first = false): Promise<void> {
    const slots = new Map(this.#checked?.slots.map((slot) => [slot.slot, slot]))
    const instances = order.map((name) => this.#instantiate(slots.get(name) as CheckedSlot))
    for (const instance of instances) {
      this.#registerKinds([instance])
      await this.#unlessStopped(() => this.#setUp(instance))
      this.#registerKinds([...this.#instances.values()])
    }
    if (first) this.#parts.chooseLeadership()
    for (const group of startGroups) {
      for (const instance of instances) {
        await this.#unlessStopped(() => instance.start(group))
      }
      if (group === 'informers') await this.#syncInformers(instances)
      if (group === 'controllers' && first) this.#parts.leadership().start()
    }
  }

  /** Gives up waiting when the host is told to stop; closing the plugin's scope then ends what it does. */
  async #unlessStopped(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#startAbort
    signal.throwIfAborted()
    let abort = (): void => {}
    const stopped = new Promise<never>((_resolve, reject) => {
      abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
    })
    try {
      await Promise.race([work(), stopped])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  #instantiate(spec: CheckedSlot): PluginInstance {
    const { clock, log } = this.#parts
    const scope = new PluginScope({
      name: spec.slot,
      clock,
      log: log.child({ plugin: spec.slot }),
      stopTimeoutMs: this.#options.stopTimeoutMs ?? 10_000,
    })
    const instance = new PluginInstance(spec, scope)
    this.#instances.set(spec.slot, instance)
    return instance
  }

  async #setUp(instance: PluginInstance): Promise<void> {
    const { plugin } = instance.spec
    try {
      await plugin.setup?.(createPluginContext(this.#parts, instance))
    } catch (error) {
      throw new ContinuoError('PLUGIN_SETUP_FAILED', `plugin ${instance.name} (${plugin.name}) failed to set up: ${messageOf(error)}`, {
        cause: error,
        hint: isContinuoError(error) ? error.hint : undefined,
      })
    }
    instance.settingUp = false
    const missing = instance.spec.provides.filter((declared) => declared.cardinality !== 'many' && !instance.provided.has(declared.id))
    if (missing.length > 0) {
      throw new ContinuoError(
        'PLUGIN_UNPROVIDED',
        `plugin ${instance.name} (${plugin.name}) declares ${missing.map((token) => token.id).join(', ')} and did not provide it`,
        {
          hint: 'call ctx.provide in setup',
        },
      )
    }
  }

  /** Adds the kinds of plugins to the registry as soon as there is one, and to the next one after a swap. */
  #registerKinds(instances: readonly PluginInstance[]): void {
    const { registry } = this.#parts
    if (registry === undefined) return
    for (const instance of instances) {
      if (this.#registered.get(instance) === registry) continue
      this.#registered.set(instance, registry)
      for (const kind of instance.spec.kinds) {
        const added = registry.add(kind, instance.name)
        instance.scope.defer(`kind ${kind.kind}`, () => added[Symbol.dispose]())
      }
    }
  }

  async #syncInformers(instances: readonly PluginInstance[]): Promise<void> {
    const { informers } = this.#parts
    for (const instance of instances) for (const informer of instance.informers) this.#parts.assertKind(informer.kind, instance.name)
    informers.start()
    await Promise.all(
      instances.flatMap((instance) => [...instance.informers].map((informer) => informer.whenSynced(this.#startAbort.signal))),
    )
  }

  async #stop(): Promise<void> {
    if (this.#status === 'stopped' || this.#status === 'failed') return
    this.#startAbort.abort(new ContinuoError('HOST_STATE', `host ${this.name} is being stopped`))
    await this.#starting?.catch(() => {})
    await this.#operation
    // A start that failed has walked the stop path itself.
    if (this.#instances.size === 0 && this.#status === ('failed' as HostStatus)) return
    this.#status = 'stopping'
    const errors = await this.#takeDown()
    this.#status = 'stopped'
    if (errors.length > 0)
      throw new AggregateError(errors, `host ${this.name}: ${errors.length} failures while stopping: ${errors.map(messageOf).join('; ')}`)
  }

  /** Ends the term, then stops every plugin, consumers first. */
  async #takeDown(): Promise<readonly unknown[]> {
    const { clock } = this.#parts
    const errors: unknown[] = []
    try {
      await withDeadline(clock, this.#options.stopTimeoutMs ?? 10_000, 'giving up leadership', () => this.#parts.leadership().stop())
    } catch (error) {
      errors.push(error)
    }
    errors.push(...(await this.#stopSlots(this.#checked?.graph.order ?? [])))
    this.#parts.container.close(this.#checked?.slots.flatMap((slot) => slot.provides) ?? [])
    return errors
  }

  async #stopSlots(order: readonly string[]): Promise<readonly unknown[]> {
    const { container, clock } = this.#parts
    const errors: unknown[] = []
    for (const name of [...order].reverse()) {
      const instance = this.#instances.get(name)
      if (instance === undefined) continue
      for (const place of container.ownedBy(
        name,
        instance.spec.provides.filter((token) => token.swappable),
      )) {
        place.empty()
        await place.drained(clock, this.#options.stopTimeoutMs ?? 10_000).catch((error: unknown) => errors.push(error))
      }
      errors.push(...(await instance.scope.close()))
      this.#instances.delete(name)
    }
    return errors
  }

  async #swap(slot: string, plugin: AnyPlugin, config: unknown): Promise<void> {
    const before = this.#checked
    if (this.#status !== 'ready' || before === undefined)
      throw new ContinuoError('HOST_STATE', `host ${this.name} is ${this.#status}: nothing can be swapped`)
    if (!this.#specs.some((spec) => spec.slot === slot)) {
      throw new ContinuoError('SLOT_UNKNOWN', `host ${this.name} has no slot ${slot}`, {
        hint: `it has ${this.#specs.map((spec) => spec.slot).join(', ')}`,
      })
    }
    const specs = this.#specs.map((spec) => (spec.slot === slot ? { slot, plugin, config } : spec))
    const after = await this.#check(specs)
    if (after.problems.length > 0) throw new CheckError(`swap of ${slot} in host ${this.name}`, after.problems)
    const affected = new Set([...dependentsOf(before.graph, slot), ...dependentsOf(after.graph, slot)])
    const inOrder = (check: HostCheck): readonly string[] => check.graph.order.filter((name) => affected.has(name))

    this.#status = 'swapping'
    for (const error of await this.#stopSlots(inOrder(before))) this.#parts.log.warn({ err: error, slot }, 'stopping for a swap')
    try {
      this.#checked = after
      await this.#bringUp(inOrder(after))
      this.#specs = specs
    } catch (error) {
      await this.#stopSlots(inOrder(after))
      this.#checked = before
      await this.#restore(inOrder(before), slot, error)
      throw new ContinuoError('SWAP_FAILED', `slot ${slot} keeps its old plugin, because the new one failed: ${messageOf(error)}`, {
        cause: error,
      })
    } finally {
      if (this.#status === 'swapping') this.#status = 'ready'
    }
  }

  async #restore(order: readonly string[], slot: string, cause: unknown): Promise<void> {
    try {
      await this.#bringUp(order)
    } catch (error) {
      await this.#takeDown()
      this.#status = 'failed'
      throw new AggregateError(
        [cause, error],
        `host ${this.name}: neither the new nor the old plugin of slot ${slot} starts: ${messageOf(cause)}; ${messageOf(error)}`,
      )
    }
  }
}
