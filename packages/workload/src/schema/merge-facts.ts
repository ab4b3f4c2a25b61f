import type { Schema } from '@continuo/core'
import { mergeFacts } from '../tables/merge-facts.ts'

/** The extensions of one property, in the words of a schema. */
export type MergeExtensions = Pick<
  Schema,
  | 'x-kubernetes-list-type'
  | 'x-kubernetes-list-map-keys'
  | 'x-kubernetes-map-type'
  | 'x-kubernetes-patch-strategy'
  | 'x-kubernetes-patch-merge-key'
>

/** The extensions of a definition's properties; those of the definition itself under `.`. */
export function mergeExtensions(definition: string): ReadonlyMap<string, MergeExtensions> {
  const dot = definition.lastIndexOf('.')
  const text = mergeFacts[definition.slice(0, dot)]?.[definition.slice(dot + 1)]
  const result = new Map<string, MergeExtensions>()
  for (const entry of text?.split('; ') ?? []) {
    const [names = '', ...words] = entry.split(' ')
    const extensions = toExtensions(words)
    for (const name of names.split(',')) result.set(name, extensions)
  }
  return result
}

function toExtensions(words: readonly string[]): MergeExtensions {
  const strategies: string[] = []
  const result: { -readonly [K in keyof MergeExtensions]: MergeExtensions[K] } = {}
  for (const word of words) {
    const [name = '', argument] = word.split(/[()]/)
    if (name === 'atomic' || name === 'set') result['x-kubernetes-list-type'] = name
    else if (name === 'map') {
      result['x-kubernetes-list-type'] = 'map'
      result['x-kubernetes-list-map-keys'] = (argument ?? '').split(',')
    } else if (name === 'whole') result['x-kubernetes-map-type'] = 'atomic'
    else if (name === 'granular') result['x-kubernetes-map-type'] = 'granular'
    else {
      strategies.push(name === 'retain' ? 'retainKeys' : name)
      if (argument !== undefined) result['x-kubernetes-patch-merge-key'] = argument
    }
  }
  if (strategies.length > 0) result['x-kubernetes-patch-strategy'] = strategies.join(',')
  return result
}
