import type { DeepReadonly } from '@continuo/core'
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod } from '@continuo/workload'
import type { BuiltInFilter } from './built-in.ts'

export type NodePredicate = (node: DeepReadonly<Node>) => boolean

function requirement(
  { key, operator, values = [] }: DeepReadonly<NodeSelectorRequirement>,
  read: (node: DeepReadonly<Node>, key: string) => string | undefined,
): NodePredicate {
  switch (operator) {
    case 'In':
      return (node) => values.includes(read(node, key) ?? '') && read(node, key) !== undefined
    case 'NotIn':
      return (node) => !(read(node, key) !== undefined && values.includes(read(node, key) as string))
    case 'Exists':
      return (node) => read(node, key) !== undefined
    case 'DoesNotExist':
      return (node) => read(node, key) === undefined
    case 'Gt':
    case 'Lt': {
      const bound = Number(values[0])
      return (node) => {
        const value = read(node, key)
        if (value === undefined || !/^[+-]?\d+$/.test(value)) return false
        return operator === 'Gt' ? Number(value) > bound : Number(value) < bound
      }
    }
    default:
      return () => false
  }
}

const label = (node: DeepReadonly<Node>, key: string): string | undefined => node.metadata.labels?.[key]
const field = (node: DeepReadonly<Node>, key: string): string | undefined => (key === 'metadata.name' ? node.metadata.name : undefined)

/** A term holds when all its requirements do; a term without any selects nothing. */
export function compileTerm(term: DeepReadonly<NodeSelectorTerm>): NodePredicate {
  const parts = [
    ...(term.matchExpressions ?? []).map((each) => requirement(each, label)),
    ...(term.matchFields ?? []).map((each) => requirement(each, field)),
  ]
  return parts.length === 0 ? () => false : (node) => parts.every((matches) => matches(node))
}

/** What `nodeSelector` and required node affinity of the pod ask for; undefined when they ask for nothing. */
export function requiredNodes(pod: DeepReadonly<Pod>): NodePredicate | undefined {
  const selector = Object.entries(pod.spec?.nodeSelector ?? {})
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const terms = required?.nodeSelectorTerms.map(compileTerm)
  if (selector.length === 0 && terms === undefined) return undefined
  return (node) =>
    selector.every(([key, value]) => node.metadata.labels?.[key] === value) && (terms?.some((matches) => matches(node)) ?? true)
}

/** `nodeSelector` and required node affinity. */
export const nodeAffinity: BuiltInFilter = {
  name: 'NodeAffinity',
  prepare: ({ pod }) => {
    const matches = requiredNodes(pod)
    if (matches === undefined) return undefined
    return ({ node }) => (matches(node) ? undefined : { reason: "node(s) didn't match Pod's node affinity/selector", retriable: false })
  },
}

/** A pod that names its node goes there or nowhere. */
export const nodeName: BuiltInFilter = {
  name: 'NodeName',
  prepare: ({ pod }) => {
    const wanted = pod.spec?.nodeName
    if (wanted === undefined || wanted === '') return undefined
    return ({ name }) => (name === wanted ? undefined : { reason: "node(s) didn't match the requested node name", retriable: false })
  },
}
