import type { AnyCapability, Capability, Cardinality, Resolved } from '../capability/capability.ts'
import { ObjectClientCap } from '../client/object-client.ts'
import { withDeadline } from '../clock/deadline.ts'
import { ContinuoError } from '../errors/continuo-error.ts'
import type { AnyPlugin } from '../plugin/plugin.ts'
import { withBuiltins } from './builtin-plugins.ts'
import { checkHost, type HostCheck } from './check-host.ts'
import type { SlotSpec } from './checked-slot.ts'
import { dependentsOf } from './graph.ts'
import type { HealthResult } from './health.ts'
import type { Host, HostOptions, HostStatus } from './host.ts'
import { defaultCapabilities, HostParts, implicitCapabilities } from './host-parts.ts'
import { makePlan, type Plan } from './plan.ts'
import { messageOf, PluginSet } from './plugin-set.ts'
import { CheckError, type Problem } from './problem.ts'

const defaultStopTimeoutMs = 10_000

/** See {@link Host}. */
export class RunningHost implements Host {
  readonly #options: HostOptions
  readonly #parts: HostParts
  readonly #plugins: PluginSet
  readonly #startAbort = new AbortController()
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
    this.#plugins = new PluginSet(this.#parts, {
      stopTimeoutMs: options.stopTimeoutMs ?? defaultStopTimeoutMs,
      signal: this.#startAbort.signal,
    })
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
    const [checks, unsynced] = [await this.#plugins.runChecks(), this.#plugins.unsynced()]
    return [
      {
        name: 'started',
        readinessOnly: true,
        ok: this.ready,
        ...(this.ready ? {} : { reason: `host ${this.name} is ${this.#status}` }),
      },
      {
        name: 'informer-sync',
        readinessOnly: true,
        ok: unsynced.length === 0,
        ...(unsynced.length === 0 ? {} : { reason: `not synced: ${unsynced.join(', ')}` }),
      },
      ...checks,
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
      scopes: this.#plugins.size,
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
      await this.#plugins.bringUp(checked, checked.graph.order, true)
      this.#status = 'ready'
      this.#parts.log.info({ plugins: checked.slots.length }, 'host is ready')
    } catch (error) {
      const failures = await this.#takeDown()
      for (const failure of failures) this.#parts.log.warn({ err: failure }, 'stopping after a failed start')
      this.#status = 'failed'
      throw error
    }
  }

  async #stop(): Promise<void> {
    if (this.#status === 'stopped' || this.#status === 'failed') return
    this.#startAbort.abort(new ContinuoError('HOST_STATE', `host ${this.name} is being stopped`))
    await this.#starting?.catch(() => {})
    await this.#operation
    // A start that failed has walked the stop path itself.
    if (this.#plugins.empty && this.#status === ('failed' as HostStatus)) return
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
      await withDeadline(clock, this.#options.stopTimeoutMs ?? defaultStopTimeoutMs, 'giving up leadership', () =>
        this.#parts.leadership().stop(),
      )
    } catch (error) {
      errors.push(error)
    }
    errors.push(...(await this.#plugins.takeDown(this.#checked?.graph.order ?? [])))
    this.#parts.container.close(this.#checked?.slots.flatMap((slot) => slot.provides) ?? [])
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
    for (const error of await this.#plugins.takeDown(inOrder(before))) this.#parts.log.warn({ err: error, slot }, 'stopping for a swap')
    try {
      this.#checked = after
      await this.#plugins.bringUp(after, inOrder(after))
      this.#specs = specs
    } catch (error) {
      await this.#plugins.takeDown(inOrder(after))
      this.#checked = before
      await this.#restore(before, inOrder(before), slot, error)
      throw new ContinuoError('SWAP_FAILED', `slot ${slot} keeps its old plugin, because the new one failed: ${messageOf(error)}`, {
        cause: error,
      })
    } finally {
      if (this.#status === 'swapping') this.#status = 'ready'
    }
  }

  async #restore(before: HostCheck, order: readonly string[], slot: string, cause: unknown): Promise<void> {
    try {
      await this.#plugins.bringUp(before, order)
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
