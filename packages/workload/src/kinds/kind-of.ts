import { type Kind, type KubeObject, kind, parseApiVersion } from '@continuo/core'
import { resourceFacts } from './resource-facts.ts'

/** The typed handle of a built-in resource; kind and scope come from the generated API. */
export function kindOf<T extends KubeObject>(apiVersion: T['apiVersion'], plural: string): Kind<T> {
  const { definition, namespaced } = resourceFacts(apiVersion, plural)
  return kind<T>({ ...parseApiVersion(apiVersion), kind: definition.slice(definition.lastIndexOf('.') + 1), resource: plural, namespaced })
}
