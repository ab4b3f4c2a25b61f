import type { UserInfo } from '@continuo/core'
import type { AccessAttributes, AccessDecision } from '@continuo/workload'
import { allows } from '../rules/match-rules.ts'
import type { NodeGraph, Referred } from './node-graph.ts'
import { nodeRules } from './node-rules.ts'

const userPrefix = 'system:node:'
const group = 'system:nodes'
export const leaseNamespace = 'kube-node-lease'

/** The node that a user is; undefined for everybody else. */
export function nodeOfUser({ username, groups }: UserInfo): string | undefined {
  if (!username.startsWith(userPrefix) || groups?.includes(group) !== true) return undefined
  return username.slice(userPrefix.length) || undefined
}

const allow: AccessDecision = { decision: 'allow' }
const none = (reason: string): AccessDecision => ({ decision: 'none', reason })
const reads = new Set(['get', 'list', 'watch'])
const referred = new Set<string>(['secrets', 'configmaps', 'persistentvolumeclaims'] satisfies Referred[])

/**
 * What a node may: its own node and lease, the pods that are bound to it, and what these mount or name. Everything else is for
 * other authorizers. Pure but for the graph.
 */
export function decideNode(attributes: AccessAttributes, graph: NodeGraph): AccessDecision | undefined {
  const node = nodeOfUser(attributes.user)
  if (node === undefined) return undefined
  if (attributes.isResource) {
    const decided = decideResource(attributes, node, graph)
    if (decided !== undefined) return decided
  }
  return allows(nodeRules, attributes) ? allow : none('node has no rule for it')
}

function decideResource(attributes: AccessAttributes, node: string, graph: NodeGraph): AccessDecision | undefined {
  const { group, resource, subresource, namespace, name, verb } = attributes
  if (group === 'coordination.k8s.io' && resource === 'leases') return decideLease(attributes, node)
  if (group === 'storage.k8s.io' && resource === 'csinodes') return own(name === node || (verb === 'create' && name === ''), 'CSINode')
  if (group !== '') return undefined
  if (resource === 'nodes') return decideOwnNode(attributes, node)
  if (resource === 'pods') return decidePod(attributes, node, graph)
  if (resource === 'serviceaccounts' && subresource === 'token') {
    if (verb !== 'create') return none('can only create tokens for individual service accounts')
    return related(graph.refers(node, 'serviceaccounts', namespace, name), node, attributes)
  }
  if (resource === 'persistentvolumes') {
    if (verb !== 'get' || subresource !== '') return none('can only get individual resources of this type')
    return related(graph.usesVolume(node, name), node, attributes)
  }
  if (!referred.has(resource)) return undefined
  const isStatus = resource === 'persistentvolumeclaims' && subresource === 'status'
  if (isStatus ? !['get', 'update', 'patch'].includes(verb) : subresource !== '' || !reads.has(verb))
    return none('can only read resources of this type')
  // A list or watch that selects one object by its name comes with that name.
  if (name === '') return none('No Object name found')
  return related(graph.refers(node, resource as Referred, namespace, name), node, attributes)
}

const related = (is: boolean, node: string, { resource, name }: AccessAttributes): AccessDecision =>
  is ? allow : none(`no relationship found between node '${node}' and this object (${resource} ${JSON.stringify(name)})`)

const own = (is: boolean, what: string): AccessDecision => (is ? allow : none(`can only access its own ${what}`))

/** The name of a creation stands in its body: admission looks at it. */
function decideLease({ namespace, name, verb, subresource }: AccessAttributes, node: string): AccessDecision {
  if (namespace !== leaseNamespace) return none(`can only access leases in the ${JSON.stringify(leaseNamespace)} system namespace`)
  if (subresource !== '' || !['get', 'create', 'update', 'patch', 'delete'].includes(verb)) return none('can only access single leases')
  return own(name === node || (verb === 'create' && name === ''), 'lease')
}

function decideOwnNode({ name, verb, subresource }: AccessAttributes, node: string): AccessDecision {
  if (subresource === '' && verb === 'create') return own(name === '' || name === node, 'node')
  const may = subresource === '' ? [...reads, 'update', 'patch'] : subresource === 'status' ? ['get', 'update', 'patch'] : []
  return own(name === node && may.includes(verb), 'node')
}

function decidePod(
  { namespace, name, verb, subresource, fieldSelector }: AccessAttributes,
  node: string,
  graph: NodeGraph,
): AccessDecision {
  const may = subresource === '' ? ['get', 'list', 'watch', 'delete'] : subresource === 'status' ? ['get', 'update', 'patch'] : ['create']
  if (!['', 'status', 'eviction'].includes(subresource) || !may.includes(verb)) return none('can only read pods and report their status')
  if (name !== '') return own(graph.nodeOf(namespace, name) === node, 'pods')
  return selectsNode(fieldSelector, node) ? allow : none('can only list/watch pods with spec.nodeName field selector')
}

/** True when every pod that is selected is one of the node. */
const selectsNode = (selector: string | undefined, node: string): boolean =>
  (selector ?? '').split(',').some((part) => /^\s*spec\.nodeName={1,2}(.*?)\s*$/.exec(part)?.[1] === node)
