import { type AdmissionRequest, type DeepReadonly, forbidden, jsonEqual, notFound, type UserInfo } from '@continuo/core'
import { type AccessAttributes, type AccessRule, ClusterRole, type ClusterRoleBinding, Role, type RoleBinding } from '@continuo/workload'
import type { RolePolicy } from '../policy/role-policy.ts'
import { mastersGroup, rbacGroup } from '../policy/subjects.ts'
import { compactRules, describeRule, missingRules } from '../rules/cover-rules.ts'

type AnyRole = DeepReadonly<Role | ClusterRole>
type AnyBinding = DeepReadonly<RoleBinding | ClusterRoleBinding>

const everything: readonly AccessRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/**
 * Admission of roles and bindings: nobody gives rights that they do not hold themselves, unless they may `escalate` the role
 * or `bind` it. Trusted callers and `system:masters` pass. Throws 403, and 404 for a binding to a role that does not exist.
 */
export function checkEscalation(request: AdmissionRequest, policy: RolePolicy): void {
  const { resource, subresource, caller, operation, object, oldObject } = request
  if (resource.group !== rbacGroup || subresource !== undefined || object === undefined) return
  if (operation !== 'CREATE' && operation !== 'UPDATE') return
  if (caller.trusted || caller.user.groups?.includes(mastersGroup) === true) return
  if (oldObject !== undefined && changesOnlyOwnership(object, oldObject)) return
  const { resource: plural } = resource
  if (plural === 'roles' || plural === 'clusterroles')
    checkRole(request, object as unknown as AnyRole, oldObject as AnyRole | undefined, policy)
  else if (plural === 'rolebindings' || plural === 'clusterrolebindings') checkBinding(request, object as unknown as AnyBinding, policy)
}

/** What the garbage collector does to an object gives nobody anything. */
function changesOnlyOwnership(next: object, old: object): boolean {
  const without = (object: object): unknown => {
    const { metadata, ...rest } = object as { metadata: Record<string, unknown> }
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _fields, resourceVersion: _version, ...kept } = metadata
    return { ...rest, metadata: kept }
  }
  return jsonEqual(without(next), without(old))
}

function checkRole(request: AdmissionRequest, role: AnyRole, old: AnyRole | undefined, policy: RolePolicy): void {
  const { resource, namespace, name, caller } = request
  if (may(policy, caller.user, 'escalate', resource.resource, namespace, name)) return
  const { rules } = policy.rulesFor(caller.user, namespace)
  refuseMissing(request, rules, (role.rules ?? []) as readonly AccessRule[])
  if (!aggregates(role) && !aggregates(old)) return
  if (missingRules(rules, everything).length > 0)
    throw forbidden(resource, name, 'must have cluster-admin privileges to use the aggregationRule')
}

const aggregates = (role: AnyRole | undefined): boolean =>
  role !== undefined && 'aggregationRule' in role && (role.aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0

function checkBinding(request: AdmissionRequest, { roleRef }: AnyBinding, policy: RolePolicy): void {
  const { namespace, caller } = request
  const kind = roleRef.kind === 'Role' ? Role : ClusterRole
  if (may(policy, caller.user, 'bind', kind.resource, namespace, roleRef.name)) return
  const role = policy.role(roleRef, namespace)
  if (role === undefined) throw notFound(kind, roleRef.name)
  refuseMissing(request, policy.rulesFor(caller.user, namespace).rules, (role.rules ?? []) as readonly AccessRule[])
}

function may(policy: RolePolicy, user: UserInfo, verb: string, resource: string, namespace: string, name: string): boolean {
  const attributes: AccessAttributes = {
    user,
    verb,
    isResource: true,
    group: rbacGroup,
    version: '*',
    resource,
    subresource: '',
    namespace,
    name,
    path: '',
  }
  return policy.decide(attributes).decision === 'allow'
}

function refuseMissing(request: AdmissionRequest, owned: readonly AccessRule[], wanted: readonly AccessRule[]): void {
  const missing = missingRules(owned, wanted)
  if (missing.length === 0) return
  const { username, groups = [] } = request.caller.user
  const shown = [...new Set(compactRules(missing).map(describeRule))].sort().join('\n')
  const who = `user ${JSON.stringify(username)} (groups=[${groups.map((group) => JSON.stringify(group)).join(' ')}])`
  throw forbidden(request.resource, request.name, `${who} is attempting to grant RBAC permissions not currently held:\n${shown}`)
}
