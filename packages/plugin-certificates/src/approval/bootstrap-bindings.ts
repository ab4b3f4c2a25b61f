import { hasReason, type ObjectClient } from '@continuo/core'
import { ClusterRoleBinding } from '@continuo/workload'

const role = 'system:certificates.k8s.io:certificatesigningrequests'
const group = 'rbac.authorization.k8s.io'

/** A binding of a role of the system to groups. */
const binding = (name: string, roleName: string, groups: readonly string[]): ClusterRoleBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: group, kind: 'ClusterRole', name: roleName },
  subjects: groups.map((name) => ({ kind: 'Group', apiGroup: group, name })),
})

/** Who may ask for certificates of nodes, and have them without anybody looking at it. Pure. */
export const bootstrapBindings = (bootstrappers: readonly string[]): readonly ClusterRoleBinding[] => [
  ...(bootstrappers.length === 0
    ? []
    : [
        binding('continuo:node-bootstrapper', 'system:node-bootstrapper', bootstrappers),
        binding('continuo:node-autoapprove-bootstrap', `${role}:nodeclient`, bootstrappers),
      ]),
  binding('continuo:node-autoapprove-rotation', `${role}:selfnodeclient`, ['system:nodes']),
]

/** Makes what is missing. What is there belongs to the administrator. Throws `ApiError`. */
export async function ensureBindings(client: ObjectClient, bindings: readonly ClusterRoleBinding[]): Promise<void> {
  await Promise.all(
    bindings.map(async (one) => {
      try {
        await client.for(ClusterRoleBinding).create(one)
      } catch (error) {
        if (!hasReason(error, 'AlreadyExists')) throw error
      }
    }),
  )
}
