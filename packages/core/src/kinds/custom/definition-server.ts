import type { ObjectClient } from '../../client/object-client.ts'
import { type Clock, formatTime } from '../../clock/clock.ts'
import { hasReason } from '../../errors/api-error.ts'
import type { Log } from '../../log/log.ts'
import type { Registry } from '../../resources/registry.ts'
import type { ResourceDefinition } from '../../resources/resource.ts'
import { jsonEqual } from '../../schema/json-value.ts'
import { isTrue } from './conditions.ts'
import { CustomResourceDefinition, cleanupFinalizer } from './custom-resource-definition.ts'
import type { CustomResourceExtensions } from './custom-resource-extensions.ts'
import { findNameConflict, nextStatus } from './definition-status.ts'
import { toResource } from './to-resource.ts'

export interface DefinitionServerOptions {
  readonly client: ObjectClient
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  /** What plugins add to custom resources. */
  readonly extensions?: CustomResourceExtensions
}

interface ServedDefinition {
  readonly entry: ReturnType<Registry['add']>
  readonly resource: ResourceDefinition
  /** What the resource was made from; it is made anew when this differs. */
  readonly spec: CustomResourceDefinition['spec']
  readonly acceptedNames: NonNullable<CustomResourceDefinition['status']>['acceptedNames']
  readonly terminating: boolean
}

/** After a failure, and while objects of a dying kind are not gone yet. */
const retryMs = 1_000

/**
 * Follows CustomResourceDefinitions: accepts their names, serves their kinds from the registry, and clears up behind those that are deleted.
 * Level triggered: every change makes it look at all definitions. Each process serves from its own registry;
 * what is written to definitions is the same whoever writes it, so that replicas do not get in each other's way.
 */
export class DefinitionServer {
  readonly #options: DefinitionServerOptions
  readonly #served = new Map<string, ServedDefinition>()

  constructor(options: DefinitionServerOptions) {
    this.#options = options
  }

  /** Serves what is there already, then follows changes until the signal aborts. Resolves after the first look. */
  async start(signal: AbortSignal): Promise<void> {
    const again = await this.#sync()
    void this.#follow(signal, again)
  }

  async #follow(signal: AbortSignal, pending: boolean): Promise<void> {
    const { clock, log } = this.#options
    const changes = new Changes()
    let again = pending
    void this.#watch(signal, changes)
    while (!signal.aborted) {
      const cancel = again ? clock.after(retryMs, () => changes.note()) : undefined
      await changes.next(signal)
      cancel?.()
      if (signal.aborted) return
      try {
        again = await this.#sync()
      } catch (error) {
        if (signal.aborted) return
        again = true
        log.warn(
          { error: error instanceof Error ? error.message : String(error) },
          'custom resource definitions could not be brought up to date; trying again',
        )
      }
    }
  }

  async #watch(signal: AbortSignal, changes: Changes): Promise<void> {
    const { client, clock, log } = this.#options
    while (!signal.aborted) {
      try {
        const events = await client.for(CustomResourceDefinition).watch({ signal, allowWatchBookmarks: true })
        for await (const event of events) if (event.type !== 'BOOKMARK') changes.note()
      } catch (error) {
        if (signal.aborted) return
        log.debug({ error: error instanceof Error ? error.message : String(error) }, 'watch of custom resource definitions ended')
      }
      await clock.sleep(retryMs, signal).catch(() => {})
    }
  }

  /** Looks at every definition once. True when there is something to come back for. */
  async #sync(): Promise<boolean> {
    const { items } = await this.#options.client.for(CustomResourceDefinition).list()
    // Of two that want the same name the older one has it.
    items.sort((a, b) => compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) || compare(a.metadata.name, b.metadata.name))
    const present = new Set(items.map((item) => item.metadata.name))
    for (const name of [...this.#served.keys()]) if (!present.has(name)) this.#forget(name)
    let again = false
    for (const item of items) {
      const current = item.metadata.deletionTimestamp === undefined ? await this.#accept(item) : item
      if (isTrue(current.status?.conditions, 'Established')) this.#serve(current)
      if (current.metadata.deletionTimestamp !== undefined && (await this.#cleanUp(current))) again = true
    }
    return again
  }

  async #accept(definition: CustomResourceDefinition): Promise<CustomResourceDefinition> {
    const { client, registry, clock } = this.#options
    const status = nextStatus(definition, findNameConflict(definition, registry.all()), formatTime(clock.now()))
    if (jsonEqual(status, definition.status)) return definition
    try {
      return await client.for(CustomResourceDefinition).updateStatus({ ...definition, status })
    } catch (error) {
      // It changed or went meanwhile, and that change brings us back.
      if (hasReason(error, 'Conflict', 'NotFound')) return definition
      throw error
    }
  }

  #serve(definition: CustomResourceDefinition): void {
    const { registry, log } = this.#options
    const { name } = definition.metadata
    const { spec } = definition
    const acceptedNames = definition.status?.acceptedNames
    const terminating = isTrue(definition.status?.conditions, 'Terminating')
    const served = this.#served.get(name)
    const sameSpec = served !== undefined && jsonEqual(served.spec, spec) && jsonEqual(served.acceptedNames, acceptedNames)
    if (sameSpec && served.terminating === terminating) return
    try {
      const made = toResource(definition, this.#options.extensions)
      // A dying kind has fewer verbs. Its versions stay the same ones, so that watches go on to its last object.
      const resource = sameSpec ? { ...made, versions: served.resource.versions } : made
      const entry = served?.entry ?? registry.add(resource, `customresourcedefinition ${name}`)
      if (served !== undefined) entry.replace(resource)
      this.#served.set(name, { entry, resource, spec, acceptedNames, terminating })
    } catch (error) {
      // Names clash with a kind that a plugin added since: it stays as it was.
      log.warn({ definition: name, error: error instanceof Error ? error.message : String(error) }, 'a custom resource cannot be served')
    }
  }

  /** Deletes the objects of a dying kind; once none is left, lets the definition go. True while some remain. */
  async #cleanUp(definition: CustomResourceDefinition): Promise<boolean> {
    const { client } = this.#options
    if (!definition.metadata.finalizers?.includes(cleanupFinalizer)) return false
    if (this.#served.has(definition.metadata.name)) {
      const version = definition.spec.versions.find((candidate) => candidate.served)
      if (version !== undefined) {
        const objects = await client.resource({
          group: definition.spec.group,
          version: version.name,
          resource: definition.spec.names.plural,
        })
        if ((await objects.list({ limit: 1 })).items.length > 0) {
          await objects.deleteCollection({})
          if ((await objects.list({ limit: 1 })).items.length > 0) return true
        }
      }
    }
    const finalizers = definition.metadata.finalizers.filter((finalizer) => finalizer !== cleanupFinalizer)
    try {
      await client.for(CustomResourceDefinition).update({ ...definition, metadata: { ...definition.metadata, finalizers } })
    } catch (error) {
      if (hasReason(error, 'NotFound')) return false
      if (hasReason(error, 'Conflict')) return true
      throw error
    }
    return false
  }

  #forget(name: string): void {
    this.#served.get(name)?.entry[Symbol.dispose]()
    this.#served.delete(name)
  }
}

const compare = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0)

/** Remembers that something changed until somebody asks. */
class Changes {
  #noted = false
  #wake: (() => void) | undefined

  note(): void {
    this.#noted = true
    this.#wake?.()
  }

  async next(signal: AbortSignal): Promise<void> {
    if (!this.#noted && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake)
          this.#wake = undefined
          resolve()
        }
        this.#wake = wake
        signal.addEventListener('abort', wake, { once: true })
      })
    }
    this.#noted = false
  }
}
