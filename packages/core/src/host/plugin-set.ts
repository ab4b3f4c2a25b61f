import { withDeadline } from '../clock/deadline.ts'
import { ContinuoError, isContinuoError } from '../errors/continuo-error.ts'
import { PluginScope } from '../plugin/scope.ts'
import type { Registry } from '../resources/registry.ts'
import type { HostCheck } from './check-host.ts'
import type { CheckedSlot } from './checked-slot.ts'
import type { HealthResult } from './health.ts'
import type { HostParts } from './host-parts.ts'
import { PluginInstance, startGroups } from './instance.ts'
import { createPluginContext } from './plugin-context.ts'

const healthCheckMs = 1_000

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export interface PluginSetOptions {
  readonly stopTimeoutMs: number
  /** Aborts when the host is told to stop: a start under way is given up. */
  readonly signal: AbortSignal
}

/** The running plugins of one host: brings them up in order and takes them down in reverse. */
export class PluginSet {
  readonly #parts: HostParts
  readonly #options: PluginSetOptions
  readonly #instances = new Map<string, PluginInstance>()
  /** The registry that knows the kinds of an instance. */
  readonly #registered = new WeakMap<PluginInstance, Registry>()

  constructor(parts: HostParts, options: PluginSetOptions) {
    this.#parts = parts
    this.#options = options
  }

  get empty(): boolean {
    return this.#instances.size === 0
  }

  /** Timers and stop steps of all scopes. */
  get size(): number {
    return [...this.#instances.values()].reduce((sum, instance) => sum + instance.scope.size, 0)
  }

  /** Runs every health check, each with its deadline. */
  runChecks(): Promise<readonly HealthResult[]> {
    const checks = [...this.#instances.values()].flatMap((instance) =>
      [...instance.checks].map((check) => ({ name: `${instance.name}/${check.name}`, check })),
    )
    return Promise.all(
      checks.map(async ({ name, check }): Promise<HealthResult> => {
        try {
          await withDeadline(this.#parts.clock, healthCheckMs, `check ${name}`, () => check.check())
          return { name, ok: true, readinessOnly: check.readinessOnly === true }
        } catch (error) {
          return { name, ok: false, readinessOnly: check.readinessOnly === true, reason: messageOf(error) }
        }
      }),
    )
  }

  /** Informers that are not complete, as `slot: resource`. */
  unsynced(): readonly string[] {
    return [...this.#instances.values()].flatMap((instance) =>
      [...instance.informers].filter((informer) => !informer.synced).map((informer) => `${instance.name}: ${informer.kind.resource}`),
    )
  }

  /** Sets up and starts the named slots, providers first. @param first Also chooses and starts the host's leadership. */
  async bringUp(checked: HostCheck, order: readonly string[], first = false): Promise<void> {
    const slots = new Map(checked.slots.map((slot) => [slot.slot, slot]))
    const instances = order.map((name) => this.#instantiate(slots.get(name) as CheckedSlot))
    for (const instance of instances) {
      this.#registerKinds([instance])
      await this.#unlessStopped(instance, () => this.#setUp(instance))
      this.#registerKinds([...this.#instances.values()])
    }
    if (first) this.#parts.chooseLeadership()
    for (const group of startGroups) {
      for (const instance of instances) {
        await this.#unlessStopped(instance, () => instance.start(group))
      }
      if (group === 'informers') await this.#syncInformers(instances)
      if (group === 'controllers' && first) this.#parts.leadership().start()
    }
  }

  /** Gives up waiting when the host is told to stop; closing the plugin's scope then ends what it does, and waits for it. */
  async #unlessStopped(instance: PluginInstance, run: () => Promise<void>): Promise<void> {
    const { signal } = this.#options
    signal.throwIfAborted()
    const work = run()
    instance.work = work.catch(() => {})
    let abort = (): void => {}
    const stopped = new Promise<never>((_resolve, reject) => {
      abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
    })
    try {
      await Promise.race([work, stopped])
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
      stopTimeoutMs: this.#options.stopTimeoutMs,
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
    await Promise.all(instances.flatMap((instance) => [...instance.informers].map((informer) => informer.whenSynced(this.#options.signal))))
  }

  /** Stops the named slots, consumers first; what went wrong on the way. */
  async takeDown(order: readonly string[]): Promise<readonly unknown[]> {
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
        await place.drained(clock, this.#options.stopTimeoutMs).catch((error: unknown) => errors.push(error))
      }
      await instance.scope.close()
      // What a setup that was given up on still makes is ended by late steps: nothing of it outlives the host.
      await withDeadline(clock, this.#options.stopTimeoutMs, `giving up the start of ${name}`, () => instance.work).catch(
        (error: unknown) => errors.push(error),
      )
      errors.push(...(await instance.scope.close()))
      this.#instances.delete(name)
    }
    return errors
  }
}
