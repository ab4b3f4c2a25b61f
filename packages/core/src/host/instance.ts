import type { Cancel } from '../clock/clock.ts'
import { ContinuoError, isContinuoError } from '../errors/continuo-error.ts'
import type { Informer } from '../informer/informer.ts'
import type { KubeObject } from '../objects/object.ts'
import type { HealthCheck, StartGroup } from '../plugin/plugin.ts'
import type { PluginScope } from '../plugin/scope.ts'
import type { CheckedSlot } from './checked-slot.ts'

export const startGroups: readonly StartGroup[] = ['stores', 'informers', 'servers', 'controllers', 'ready']

/** One running plugin: its scope and what it asked the host to start. */
export class PluginInstance {
  readonly spec: CheckedSlot
  readonly scope: PluginScope
  /** Ids of what it provided, to compare with what it declared. */
  readonly provided = new Set<string>()
  readonly checks = new Set<HealthCheck>()
  /** Informers that must be complete before servers start. */
  readonly informers = new Set<Informer<KubeObject>>()
  readonly #starts: {
    readonly group: StartGroup
    readonly run: (signal: AbortSignal) => void | Promise<void>
  }[] = []
  #reached = -1
  settingUp = true
  /** Resolves when the last of its setup and its starts has ended, however it did. */
  work: Promise<void> = Promise.resolve()

  constructor(spec: CheckedSlot, scope: PluginScope) {
    this.spec = spec
    this.scope = scope
  }

  get name(): string {
    return this.spec.slot
  }

  onStart(group: StartGroup, run: (signal: AbortSignal) => void | Promise<void>): void {
    if (startGroups.indexOf(group) <= this.#reached) {
      throw new ContinuoError('PLUGIN_TOO_LATE', `plugin ${this.name} registers a start in group ${group}, which has begun`, {
        hint: 'call ctx.onStart during setup',
      })
    }
    this.#starts.push({ group, run })
  }

  /** Runs now if the group has begun, otherwise with it. Failures after the start are for `run` to handle. */
  whenStarted(group: StartGroup, run: () => void): void {
    if (startGroups.indexOf(group) <= this.#reached) run()
    else this.#starts.push({ group, run })
  }

  async start(group: StartGroup): Promise<void> {
    this.#reached = startGroups.indexOf(group)
    for (const start of this.#starts.filter((candidate) => candidate.group === group)) {
      try {
        await start.run(this.scope.signal)
      } catch (error) {
        throw new ContinuoError(
          'PLUGIN_START_FAILED',
          `plugin ${this.name} failed to start (${group}): ${error instanceof Error ? error.message : String(error)}`,
          { cause: error, hint: isContinuoError(error) ? error.hint : undefined },
        )
      }
    }
  }

  addCheck(check: HealthCheck): Cancel {
    this.checks.add(check)
    return () => void this.checks.delete(check)
  }
}
