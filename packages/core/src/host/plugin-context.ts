import { AdmissionMutate, AdmissionValidate } from '../admission/admission.ts'
import type { AnyCapability, Capability } from '../capability/capability.ts'
import type { CapabilityContainer } from '../capability/container.ts'
import { type ObjectClient, ObjectClientCap } from '../client/object-client.ts'
import { ClockCap } from '../clock/clock.ts'
import type { ControllerSpec } from '../controller/controller.ts'
import { ControllerRunner } from '../controller/controller-runner.ts'
import type { Decide, DecisionLog } from '../decision/decision.ts'
import { ContinuoError } from '../errors/continuo-error.ts'
import type { Events } from '../hooks/event.ts'
import type { AnyHook, Hooks } from '../hooks/hook.ts'
import type { Informer, InformerOptions } from '../informer/informer.ts'
import type { InformerHub, InformerLease } from '../informer/informer-hub.ts'
import type { Leadership, Term } from '../leader/leadership.ts'
import { type Log, LogCap } from '../log/log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { KubeObject } from '../objects/object.ts'
import type { HostRole, Lead, PluginContext } from '../plugin/plugin.ts'
import { type Random, RandomCap } from '../random/random.ts'
import type { Kind } from '../resources/resource.ts'
import { boundClient } from './bound-client.ts'
import type { PluginInstance } from './instance.ts'

/** What contexts share with their host. */
export interface ContextHost {
  readonly role: HostRole
  readonly container: CapabilityContainer
  readonly hooks: Hooks
  readonly events: Events
  readonly informers: InformerHub
  readonly leadership: () => Leadership
  readonly client: ObjectClient
  readonly hasClient: boolean
  readonly log: Log
  readonly random: Random
  readonly metrics: Metrics
  readonly decisions: () => DecisionLog
  /** Throws `INFORMER_UNKNOWN_KIND` when this host's registry does not know the kind. */
  assertKind(kind: Kind, plugin: string): void
}

const restartMs = 1_000

/** Runs work during each term and waits for it on the stop path. */
function duringTerms(
  host: ContextHost,
  instance: PluginInstance,
  what: string,
  run: (lead: Lead) => Promise<void>,
  client: ObjectClient,
  leaderOnly: boolean,
): void {
  const running = new Set<Promise<void>>()
  const begin = (term: Term): void => {
    const signal = AbortSignal.any([term.signal, instance.scope.signal])
    const { fence } = term
    const work = run(fence === undefined ? { client, signal } : { client: client.with({ fence }), fence, signal }).finally(() =>
      running.delete(work),
    )
    running.add(work)
  }
  instance.scope.defer(what, async () => void (await Promise.allSettled([...running])))
  instance.whenStarted('controllers', () => {
    if (!leaderOnly) return begin({ signal: instance.scope.signal })
    const stop = host.leadership().onTerm(begin)
    instance.scope.signal.addEventListener('abort', stop, { once: true })
  })
}

/** A client whose writes carry the fence of the latest term: after another process has taken over they are refused. */
function leaderClientOf(host: ContextHost, instance: PluginInstance, client: ObjectClient): ObjectClient {
  let current = client
  instance.whenStarted('controllers', () => {
    const stop = host.leadership().onTerm(({ fence }) => {
      current = fence === undefined ? client : client.with({ fence })
    })
    instance.scope.signal.addEventListener('abort', stop, { once: true })
  })
  return boundClient(() => current)
}

/** The context of one plugin. Whatever is made through it is registered with the instance's scope. */
export function createPluginContext(host: ContextHost, instance: PluginInstance): PluginContext {
  const { spec, scope, name } = instance
  const { container, hooks, events, informers } = host
  const log = host.log.child({ plugin: name })
  const client = host.client.with({ fieldManager: name })
  let leaderClient: ObjectClient | undefined
  const decide: Decide = (decision) => host.decisions().record({ ...decision, actor: name })

  /** What a plugin gets for the tokens that its context has in a form of its own. */
  const own = new Map<symbol, unknown>([
    [ClockCap.key, scope.clock],
    [LogCap.key, log],
    [RandomCap.key, host.random],
  ])
  const resolve = (capability: AnyCapability): unknown => {
    if (capability.key === ObjectClientCap.key) return capability.cardinality === 'optional' && !host.hasClient ? undefined : client
    return own.get(capability.key) ?? container.resolve(capability, name)
  }

  const lease = <T extends KubeObject>(informer: InformerLease<T>): Informer<T> => {
    scope.defer(`informer ${informer.kind.resource}`, () => informer.release())
    return informer
  }
  const synced = <T extends KubeObject>(kind: Kind<T>, options?: InformerOptions<T>): Informer<T> => {
    requireClient()
    host.assertKind(kind, name)
    const informer = lease(informers.informer(kind, options))
    instance.informers.add(informer as unknown as Informer<KubeObject>)
    return informer
  }
  const requireClient = (): void => {
    if (!host.hasClient) {
      throw new ContinuoError('PLUGIN_NO_CLIENT', `plugin ${name} uses the object client, and this host has none`, {
        hint: `add a plugin that provides ${ObjectClientCap.id} or store/v1`,
      })
    }
  }
  const assertTap = (hook: AnyHook): void => {
    if (spec.plugin.taps !== undefined && !spec.taps.some((declared) => declared.id === hook.id)) {
      throw new ContinuoError('PLUGIN_UNDECLARED', `plugin ${name} taps ${hook.id} without declaring it`, {
        hint: `add it to \`taps\` of ${spec.plugin.name}`,
      })
    }
  }

  const ctx: PluginContext = {
    name,
    role: host.role,
    config: spec.config,
    use: Object.fromEntries(Object.entries(spec.requires).map(([field, capability]) => [field, resolve(capability)])),
    log,
    clock: scope.clock,
    random: host.random,
    metrics: host.metrics,
    decide,
    signal: scope.signal,
    get leaderClient() {
      requireClient()
      leaderClient ??= leaderClientOf(host, instance, client)
      return leaderClient
    },
    get client() {
      requireClient()
      return client
    },
    provide<T>(capability: Capability<T>, implementation: T, key?: string) {
      if (!instance.settingUp)
        throw new ContinuoError('PLUGIN_TOO_LATE', `plugin ${name} provides ${capability.id} after its setup`, {
          hint: 'call ctx.provide during setup',
        })
      if (!spec.provides.some((declared) => declared.key === capability.key)) {
        throw new ContinuoError('PLUGIN_UNDECLARED', `plugin ${name} provides ${capability.id} without declaring it`, {
          hint: `add it to \`provides\` of ${spec.plugin.name}`,
        })
      }
      if (capability.cardinality === 'many' && (key === undefined || key === '')) {
        throw new ContinuoError('CAPABILITY_KEY', `plugin ${name} provides ${capability.id}, of which there may be many, without a key`)
      }
      scope.defer(
        capability.id,
        container.provide(capability, implementation as object, name, capability.cardinality === 'many' ? key : ''),
      )
      instance.provided.add(capability.id)
    },
    tap(hook, tap, options) {
      assertTap(hook)
      scope.defer(`tap of ${hook.id}`, hooks.tap(hook, name, tap, options))
    },
    call: (hook, argument) => hooks.call(hook, argument),
    isIdle: (hook) => hooks.isIdle(hook),
    emit: (event, value) => events.emit(event, value),
    on(event, listener) {
      scope.defer(`listener of ${event.id}`, events.on(event, name, listener))
    },
    admission(admission) {
      const { mutate, validate } = admission
      for (const kind of admission.reads ?? []) instance.whenStarted('informers', () => host.assertKind(kind, name))
      if (mutate !== undefined) ctx.tap(AdmissionMutate, (request) => mutate.call(admission, request))
      if (validate !== undefined) ctx.tap(AdmissionValidate, (request) => validate.call(admission, request))
    },
    informer: synced,
    dynamic(resource, options) {
      requireClient()
      return lease(informers.dynamic(resource, options))
    },
    controller<T extends KubeObject>(controller: ControllerSpec<T>) {
      requireClient()
      const runner = new ControllerRunner<T>({
        spec: controller,
        informer: (kind) => synced(kind),
        clock: scope.clock,
        log,
        metrics: host.metrics,
        decide,
      })
      duringTerms(
        host,
        instance,
        `controller ${controller.name}`,
        (term) => runner.run(term.client, term.signal),
        client,
        controller.leader ?? true,
      )
    },
    whileLeading(what, run) {
      const untilDone = async (term: Lead): Promise<void> => {
        while (!term.signal.aborted) {
          try {
            return await run(term)
          } catch (error) {
            if (term.signal.aborted) return
            log.error({ err: error, task: what }, 'leader task failed and starts again')
            await scope.clock.sleep(restartMs, term.signal).catch(() => {})
          }
        }
      }
      duringTerms(host, instance, what, untilDone, client, true)
    },
    after: (ms, callback) => scope.after(ms, callback),
    every: (ms, callback) => scope.every(ms, callback),
    onStart: (group, start) => instance.onStart(group, start),
    onStop: (stop) => void scope.defer('its stop hook', stop),
    health: (check) => void instance.addCheck(check),
  }
  return ctx
}
