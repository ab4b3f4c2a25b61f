import type { DeepReadonly, UserInfo } from '@continuo/core'
import type { Subject } from '@continuo/workload'

export const rbacGroup = 'rbac.authorization.k8s.io'
export const mastersGroup = 'system:masters'

/** The user name of a service account. */
export const accountUser = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`

/** Key of a subject in the indexes of bindings; undefined for one that can be nobody. `namespace` is that of the binding. */
export function subjectKey({ kind, name, namespace: own }: DeepReadonly<Subject>, namespace: string): string | undefined {
  switch (kind) {
    case 'User':
      return `u:${name}`
    case 'Group':
      return `g:${name}`
    case 'ServiceAccount': {
      const home = own || namespace
      return home === '' ? undefined : `u:${accountUser(home, name)}`
    }
    default:
      return undefined
  }
}

// Of users that are asked about again and again: one connection has one.
const keysOfUsers = new WeakMap<UserInfo, readonly string[]>()

/** Keys under which bindings of a user are found. */
export function userKeys(user: UserInfo): readonly string[] {
  const known = keysOfUsers.get(user)
  if (known !== undefined) return known
  const keys = [`u:${user.username}`, ...new Set((user.groups ?? []).map((group) => `g:${group}`))]
  keysOfUsers.set(user, keys)
  return keys
}

/** Index values of a binding's subjects. */
export const keysOf = (subjects: DeepReadonly<Subject[]> | undefined, namespace: string): readonly string[] => [
  ...new Set((subjects ?? []).flatMap((subject) => subjectKey(subject, namespace) ?? [])),
]

/** A subject as reasons name it: `Group "system:masters"`, `ServiceAccount "web/shop"`. */
export const describeSubject = ({ kind, name, namespace: own }: DeepReadonly<Subject>, namespace: string): string =>
  `${kind} ${JSON.stringify(kind === 'ServiceAccount' ? `${name}/${own || namespace}` : name)}`
