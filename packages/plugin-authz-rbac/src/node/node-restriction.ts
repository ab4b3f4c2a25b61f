import { type AdmissionRequest, type DeepReadonly, forbidden, jsonEqual } from '@continuo/core'
import type { Node, Pod, TokenRequest } from '@continuo/workload'
import { leaseNamespace, nodeOfUser } from './decide-node.ts'
import type { NodeGraph } from './node-graph.ts'

const restrictedLabels = 'node-restriction.kubernetes.io/'

type NodeView = DeepReadonly<Node>

/**
 * What only the body of a node's request tells: it makes no other node, gives itself no taints or restricted labels afterwards,
 * touches no pod of another node, and asks for tokens that are bound to its own pods. Throws 403.
 */
export function restrictNode(request: AdmissionRequest, graph: NodeGraph): void {
  const node = request.caller.trusted ? undefined : nodeOfUser(request.caller.user)
  if (node === undefined) return
  const { resource, namespace, name, object, oldObject, operation } = request
  const refuse = (why: string): never => {
    throw forbidden(resource, name, why)
  }
  if (resource.group === 'coordination.k8s.io' && resource.resource === 'leases') {
    if (namespace !== leaseNamespace || name !== node) refuse(`can only access node lease with the same name as the requesting node`)
    return
  }
  if (resource.group !== '') return
  if (resource.resource === 'nodes') {
    if (name !== node) refuse(`node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name)}`)
    if (operation === 'UPDATE') checkNodeUpdate(object as unknown as NodeView, oldObject as unknown as NodeView, node, refuse)
    else if (operation === 'CREATE') checkLabels(object as unknown as NodeView, undefined, node, refuse)
    return
  }
  if (resource.resource === 'pods') {
    const pod = (oldObject ?? object) as DeepReadonly<Pod> | undefined
    if (operation === 'CREATE' && request.subresource === undefined) refuse(`node ${JSON.stringify(node)} is not allowed to create pods`)
    if (operation !== 'CREATE' && pod?.spec?.nodeName !== node)
      refuse(`node ${JSON.stringify(node)} can only change pods with spec.nodeName set to itself`)
    return
  }
  if (resource.resource === 'serviceaccounts' && request.subresource === 'token')
    checkToken(object as unknown as DeepReadonly<TokenRequest>, namespace, node, graph, refuse)
}

type Refuse = (why: string) => never

function checkNodeUpdate(next: NodeView, old: NodeView, node: string, refuse: Refuse): void {
  if (!jsonEqual(next.spec?.taints ?? [], old.spec?.taints ?? [])) refuse(`node ${JSON.stringify(node)} is not allowed to modify taints`)
  if (!jsonEqual(next.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? []))
    refuse(`node ${JSON.stringify(node)} is not allowed to modify ownerReferences`)
  checkLabels(next, old, node, refuse)
}

function checkLabels(next: NodeView, old: NodeView | undefined, node: string, refuse: Refuse): void {
  const before = old?.metadata.labels ?? {}
  const after = next.metadata.labels ?? {}
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (label) => label.startsWith(restrictedLabels) && before[label] !== after[label],
  )
  if (changed.length > 0) refuse(`is not allowed to modify labels: ${changed.sort().join(', ')} (node ${JSON.stringify(node)})`)
}

function checkToken({ spec }: DeepReadonly<TokenRequest>, namespace: string, node: string, graph: NodeGraph, refuse: Refuse): void {
  const bound = spec?.boundObjectRef
  if (bound?.kind !== 'Pod' || !bound.name) refuse('node requested token not bound to a pod')
  else if (!bound.uid) refuse('node requested token with a pod binding without a uid')
  else if (graph.nodeOf(namespace, bound.name) !== node) refuse('node requested token bound to a pod scheduled on a different node')
}
