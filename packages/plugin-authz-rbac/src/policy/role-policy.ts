import type { DeepReadonly, Lister, UserInfo } from '@continuo/core'
import type {
  AccessAttributes,
  AccessDecision,
  AccessRule,
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
  RoleRef,
} from '@continuo/workload'
import { allows, rulesOf } from '../rules/match-rules.ts'
import { describeSubject, keysOf, rbacGroup, subjectKey, userKeys } from './subjects.ts'

/** Caches of the four kinds; bindings are indexed by {@link bindingIndexes}. */
export interface RoleSources {
  readonly roles: Pick<Lister<Role>, 'get'>
  readonly clusterRoles: Pick<Lister<ClusterRole>, 'get'>
  readonly bindings: Pick<Lister<RoleBinding>, 'byIndex'>
  readonly clusterBindings: Pick<Lister<ClusterRoleBinding>, 'byIndex'>
}

type Binding = DeepReadonly<RoleBinding | ClusterRoleBinding>

/** A role that a binding gives to a user. Without a role the binding names one that does not exist. */
interface Grant {
  readonly binding: Binding
  /** The key that led to it. */
  readonly key: string
  readonly role: DeepReadonly<Role | ClusterRole> | undefined
}

/** Indexes that {@link RoleSources} must have. A user's bindings are found by its names alone, whatever else is in the cluster. */
export const bindingIndexes = {
  cluster: { subject: (binding: DeepReadonly<ClusterRoleBinding>) => keysOf(binding.subjects, '') },
  namespaced: {
    subject: (binding: DeepReadonly<RoleBinding>) => {
      const namespace = binding.metadata.namespace ?? ''
      return keysOf(binding.subjects, namespace).map((key) => `${namespace}|${key}`)
    },
  },
} as const

const missing = ({ kind, name }: RoleRef): string => `${kind.toLowerCase()}.${rbacGroup} ${JSON.stringify(name)} not found`

/** Decides from roles and bindings. The cost of a decision follows the bindings of the user, never the number of roles. */
export class RolePolicy {
  readonly #sources: RoleSources

  constructor(sources: RoleSources) {
    this.#sources = sources
  }

  /** Allows or has no opinion; RBAC never denies. */
  decide(attributes: AccessAttributes): AccessDecision {
    const errors: string[] = []
    for (const { binding, key, role } of this.#grants(attributes.user, attributes.isResource ? attributes.namespace : '')) {
      if (role === undefined) errors.push(missing(binding.roleRef))
      else if (allows(rulesOf(role), attributes)) return allowedBy(binding, key)
    }
    return errors.length === 0 ? { decision: 'none' } : { decision: 'none', reason: `RBAC: ${joined(errors)}` }
  }

  /** Everything that a user is given in a namespace; for '' what it is given everywhere. */
  rulesFor(user: UserInfo, namespace: string): { readonly rules: readonly AccessRule[]; readonly errors: readonly string[] } {
    const rules: AccessRule[] = []
    const errors: string[] = []
    for (const { binding, role } of this.#grants(user, namespace)) {
      if (role === undefined) errors.push(missing(binding.roleRef))
      else rules.push(...((role.rules ?? []) as readonly AccessRule[]))
    }
    return { rules, errors }
  }

  /** The role that a reference from a namespace means. */
  role({ kind, name }: DeepReadonly<RoleRef>, namespace: string): DeepReadonly<Role | ClusterRole> | undefined {
    return kind === 'Role' ? this.#sources.roles.get({ namespace, name }) : this.#sources.clusterRoles.get({ namespace: '', name })
  }

  *#grants(user: UserInfo, namespace: string): Generator<Grant> {
    const keys = userKeys(user)
    for (const key of keys)
      for (const binding of this.#sources.clusterBindings.byIndex('subject', key))
        yield { binding, key, role: this.role(binding.roleRef, '') }
    if (namespace === '') return
    for (const key of keys)
      for (const binding of this.#sources.bindings.byIndex('subject', `${namespace}|${key}`))
        yield { binding, key, role: this.role(binding.roleRef, namespace) }
  }
}

/** The reason is made when somebody asks for it: reviews and the audit log do. */
const allowedBy = (binding: Binding, key: string): AccessDecision => ({
  decision: 'allow',
  get reason() {
    return `RBAC: allowed by ${describe(binding, key)}`
  },
})

const joined = (errors: readonly string[]): string => (errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]`)

function describe({ kind, metadata, roleRef, subjects }: Binding, key: string): string {
  const namespace = metadata.namespace ?? ''
  const subject = subjects?.find((one) => subjectKey(one, namespace) === key)
  const name = namespace === '' ? metadata.name : `${metadata.name}/${namespace}`
  const to = subject === undefined ? '' : ` to ${describeSubject(subject, namespace)}`
  return `${kind} ${JSON.stringify(name)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)}${to}`
}
