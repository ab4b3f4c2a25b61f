import type { Informer, Kind, PluginContext, UnstructuredObject } from '@continuo/core'
import { growth } from '../amounts/amounts.ts'
import type { Counted } from './add-up.ts'
import { evaluatorOf } from './evaluator.ts'
import { isWeighed } from './measure.ts'

const identity = ({ apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } }: UnstructuredObject): UnstructuredObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace, uid, resourceVersion } as UnstructuredObject['metadata'],
})

const idOf = ({ group, resource }: Counted): string => `${resource}.${group}`

/**
 * Follows the resources that quotas count, each from the first quota on that does, and tells when an object has gone or has come to count
 * for less. What comes to count for more is charged when it is written.
 */
export class FollowedResources {
  readonly #ctx: PluginContext
  readonly #freed: (namespace: string, resource: Counted) => void
  /** One for each resource that was ever counted. */
  readonly #followed = new Map<string, Informer<UnstructuredObject>>()

  constructor(ctx: PluginContext, freed: (namespace: string, resource: Counted) => void) {
    this.#ctx = ctx
    this.#freed = freed
  }

  has(counted: Counted): boolean {
    return this.#followed.has(idOf(counted))
  }

  follow(kind: Kind<UnstructuredObject>): void {
    if (this.has(kind)) return
    const { group, version, resource } = kind
    const counted: Counted = { group, resource }
    const weighed = isWeighed(counted)
    const informer = weighed ? this.#ctx.informer(kind) : this.#ctx.dynamic({ group, version, resource }, { project: identity })
    const free = ({ metadata }: { readonly metadata: { readonly namespace?: string } }): void =>
      this.#freed(metadata.namespace ?? '', counted)
    const evaluator = evaluatorOf(group, resource)
    informer.on({
      deleted: free,
      ...(weighed && evaluator !== undefined
        ? {
            updated: (next, old) => {
              const now = this.#ctx.clock.now()
              if (growth(evaluator.usage(old, now), evaluator.usage(next, now)).size > 0) free(next)
            },
          }
        : {}),
    })
    this.#followed.set(idOf(kind), informer)
  }
}
