import { definePlugin } from '@continuo/core'
import { AccessRulesCap, AuthorizerCap, PersistentVolumeClaim, Pod } from '@continuo/workload'
import { decideNode, nodeOfUser } from './decide-node.ts'
import { claimIndexes, NodeGraph, podIndexes } from './node-graph.ts'
import { restrictNode } from './node-restriction.ts'
import { everyNodeMay } from './node-rules.ts'

/**
 * Lets nodes (`system:node:<name>` in the group `system:nodes`) do their work and nothing else: each may touch its own node and
 * lease, the pods that are bound to it, and what these refer to.
 */
export const nodeAuthorizer = definePlugin({
  name: 'authz-node',
  api: '^1',
  provides: [AuthorizerCap, AccessRulesCap],
  permissions: [{ apiGroups: [''], resources: ['pods', 'persistentvolumeclaims'], verbs: ['get', 'list', 'watch'] }],
  setup(ctx) {
    const pods = ctx.informer(Pod, { indexes: podIndexes })
    const claims = ctx.informer(PersistentVolumeClaim, { indexes: claimIndexes })
    const graph = new NodeGraph(pods.lister, claims.lister)
    ctx.provide(AuthorizerCap, { authorize: (attributes) => decideNode(attributes, graph) ?? { decision: 'none' } }, 'node')
    const partly = ['the node authorizer tells only what every node may']
    ctx.provide(
      AccessRulesCap,
      { rulesFor: (user) => (nodeOfUser(user) === undefined ? { rules: [], errors: [] } : { rules: everyNodeMay, errors: partly }) },
      'node',
    )
    ctx.admission({ reads: [Pod], validate: (request) => restrictNode(request, graph) })
  },
})
