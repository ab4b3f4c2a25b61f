import { type DeepReadonly, hasReason, jsonEqual, type KubeObject, type ObjectClient, type ResourceClient } from '@continuo/core'
import { ClusterRole, ClusterRoleBinding, type PolicyRule } from '@continuo/workload'
import { compactRules, missingRules } from '../rules/cover-rules.ts'
import { defaultClusterRoleBindings } from './cluster-role-bindings.ts'
import { defaultClusterRoles } from './cluster-roles.ts'
import { autoupdate } from './notation.ts'

const attempts = 5

/** True when an administrator has taken the object into their own hands. */
const isProtected = ({ metadata }: DeepReadonly<KubeObject>): boolean => metadata.annotations?.[autoupdate] === 'false'

const withMetadata = <T extends KubeObject>(found: T, wanted: T): T => ({
  ...found,
  metadata: {
    ...found.metadata,
    labels: { ...found.metadata.labels, ...wanted.metadata.labels },
    annotations: { ...found.metadata.annotations, ...wanted.metadata.annotations },
  },
})

/**
 * The role with what is missing of the default; undefined when nothing is, or when it is protected. Rules that were added by hand stay.
 * The rules of an aggregated role are not looked at: they are gathered from others. Pure.
 */
export function mendedRole(found: ClusterRole, wanted: ClusterRole): ClusterRole | undefined {
  if (isProtected(found)) return undefined
  const next = withMetadata(found, wanted)
  if (wanted.aggregationRule !== undefined) {
    const selectors = [...(found.aggregationRule?.clusterRoleSelectors ?? [])]
    for (const selector of wanted.aggregationRule.clusterRoleSelectors ?? [])
      if (!selectors.some((one) => jsonEqual(one, selector))) selectors.push(selector)
    next.aggregationRule = { clusterRoleSelectors: selectors }
  } else {
    const missing = compactRules(missingRules(found.rules ?? [], wanted.rules ?? [])) as PolicyRule[]
    if (missing.length > 0) next.rules = [...(found.rules ?? []), ...missing]
  }
  return jsonEqual(next, found) ? undefined : next
}

/** The same for a binding: missing subjects are added, those that were added by hand stay. `replace`: it gives another role and must be made anew. */
export function mendedBinding(found: ClusterRoleBinding, wanted: ClusterRoleBinding): ClusterRoleBinding | 'replace' | undefined {
  if (isProtected(found)) return undefined
  if (!jsonEqual(found.roleRef, wanted.roleRef)) return 'replace'
  const subjects = [...(found.subjects ?? [])]
  for (const subject of wanted.subjects ?? []) if (!subjects.some((one) => jsonEqual(one, subject))) subjects.push(subject)
  const next = { ...withMetadata(found, wanted), ...(subjects.length === 0 ? {} : { subjects }) }
  return jsonEqual(next, found) ? undefined : next
}

/** Makes and mends every default role and binding. Several replicas may do so at once. Throws `ApiError`. */
export async function reconcileDefaults(client: ObjectClient): Promise<void> {
  const roles = client.for(ClusterRole)
  const bindings = client.for(ClusterRoleBinding)
  await Promise.all(defaultClusterRoles.map((wanted) => ensure(roles, wanted, (found) => mendedRole(found, wanted))))
  await Promise.all(defaultClusterRoleBindings.map((wanted) => ensure(bindings, wanted, (found) => mendedBinding(found, wanted))))
}

async function ensure<T extends KubeObject>(
  client: ResourceClient<T>,
  wanted: T,
  mended: (found: T) => T | 'replace' | undefined,
): Promise<void> {
  const at = { namespace: '', name: wanted.metadata.name }
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await client.get(at).catch((error: unknown) => {
        if (hasReason(error, 'NotFound')) return undefined
        throw error
      })
      if (found === undefined) return void (await client.create(wanted))
      const next = mended(found)
      if (next === undefined) return
      if (next !== 'replace') return void (await client.update(next))
      await client.delete(at)
    } catch (error) {
      // Another replica, or an administrator, was quicker: look again.
      if (attempt === attempts || !hasReason(error, 'AlreadyExists', 'Conflict', 'NotFound')) throw error
    }
  }
}
