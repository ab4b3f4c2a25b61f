import type { Verb } from '@continuo/core'
import { resources } from '../generated/resources.ts'

/** What the paths of Kubernetes' API say about one resource. */
export interface ResourceFacts {
  /** Name of the definition of its objects. */
  readonly definition: string
  readonly namespaced: boolean
  readonly verbs: readonly Verb[]
  readonly subresources: Readonly<Record<string, SubresourceFacts>>
}

export interface SubresourceFacts {
  readonly verbs: readonly ('get' | 'create' | 'update' | 'patch' | 'delete')[]
  /** Name of the definition of the body; absent for streams. */
  readonly definition?: string
}

/** The facts about a resource of the generated API. Throws a RangeError for one that Kubernetes does not have: a programming error. */
export function resourceFacts(apiVersion: string, plural: string): ResourceFacts {
  const facts = resources[apiVersion]?.[plural]
  if (facts === undefined) throw new RangeError(`the generated API has no ${plural} in ${apiVersion}`)
  return facts
}
