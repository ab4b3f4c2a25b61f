import type { DeepReadonly } from '@continuo/core'
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { at, on } from '../../src/defaults/notation.ts'
import { bindingIndexes, RolePolicy } from '../../src/policy/role-policy.ts'
import { ann, asks, asksPath } from '../questions.ts'

const apiVersion = 'rbac.authorization.k8s.io/v1'

/** A policy over plain objects, indexed as informers index them. */
class Policies {
  readonly #roles = new Map<string, Role>()
  readonly #clusterRoles = new Map<string, ClusterRole>()
  readonly #bindings: RoleBinding[] = []
  readonly #clusterBindings: ClusterRoleBinding[] = []
  /** Bindings that questions have looked at. */
  visited = 0
  readonly policy = new RolePolicy({
    roles: { get: (key) => this.#roles.get(JSON.stringify(key)) as DeepReadonly<Role> },
    clusterRoles: { get: (key) => this.#clusterRoles.get((key as { name: string }).name) as DeepReadonly<ClusterRole> },
    bindings: { byIndex: (_index, value) => this.#find(this.#bindings, bindingIndexes.namespaced.subject, value) },
    clusterBindings: { byIndex: (_index, value) => this.#find(this.#clusterBindings, bindingIndexes.cluster.subject, value) },
  })

  #find<T>(all: T[], index: (one: DeepReadonly<T>) => readonly string[], value: string): readonly DeepReadonly<T>[] {
    const found = (all as DeepReadonly<T>[]).filter((one) => index(one).includes(value))
    this.visited += found.length
    return found
  }

  role(namespace: string, name: string, ...rules: PolicyRule[]): this {
    const metadata = { name, namespace }
    if (namespace === '') this.#clusterRoles.set(name, { apiVersion, kind: 'ClusterRole', metadata, rules })
    else this.#roles.set(JSON.stringify({ namespace, name }), { apiVersion, kind: 'Role', metadata, rules })
    return this
  }

  bind(namespace: string, kind: 'Role' | 'ClusterRole', name: string, ...subjects: Subject[]): this {
    const roleRef = { kind, name }
    if (namespace === '') this.#clusterBindings.push({ apiVersion, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects })
    else this.#bindings.push({ apiVersion, kind: 'RoleBinding', metadata: { name, namespace }, roleRef, subjects })
    return this
  }
}

const user = (name: string): Subject => ({ kind: 'User', name })
const pods = on('get', 'core', 'pods')

describe('a decision', () => {
  it('follows a binding in the namespace, and there alone', () => {
    const { policy } = new Policies().role('shop', 'reader', pods).bind('shop', 'Role', 'reader', user('ann'))
    expect(policy.decide(asks('get core pods shop/web'))).toEqual({
      decision: 'allow',
      reason: 'RBAC: allowed by RoleBinding "reader/shop" of Role "reader" to User "ann"',
    })
    expect(policy.decide(asks('get core pods bank/web'))).toEqual({ decision: 'none' })
    expect(policy.decide(asks('get core pods -'))).toEqual({ decision: 'none' })
  })

  it('follows a cluster role that a namespace binds, in that namespace', () => {
    const { policy } = new Policies().role('', 'reader', pods).bind('shop', 'ClusterRole', 'reader', user('ann'))
    expect(policy.decide(asks('get core pods shop/web')).decision).toBe('allow')
    expect(policy.decide(asks('get core pods bank/web')).decision).toBe('none')
  })

  it('follows a binding of the cluster everywhere, and for paths', () => {
    const { policy } = new Policies().role('', 'reader', pods, at('get', '/metrics')).bind('', 'ClusterRole', 'reader', user('ann'))
    for (const place of ['shop/web', 'bank/web', '-']) expect(policy.decide(asks(`get core pods ${place}`)).decision, place).toBe('allow')
    expect(policy.decide(asksPath('get', '/metrics')).decision).toBe('allow')
  })

  it('takes no paths from the binding of a namespace', () => {
    const { policy } = new Policies().role('', 'reader', at('get', '/metrics')).bind('shop', 'ClusterRole', 'reader', user('ann'))
    expect(policy.decide({ ...asksPath('get', '/metrics'), namespace: 'shop' }).decision).toBe('none')
  })

  it.each<[string, Subject, string]>([
    ['a group', { kind: 'Group', name: 'team' }, 'ann'],
    ['a service account', { kind: 'ServiceAccount', namespace: 'bank', name: 'robot' }, 'system:serviceaccount:bank:robot'],
    ['a service account of the same namespace', { kind: 'ServiceAccount', name: 'robot' }, 'system:serviceaccount:shop:robot'],
    ['a service account as a user', user('system:serviceaccount:bank:robot'), 'system:serviceaccount:bank:robot'],
  ])('knows %s as a subject', (_name, subject, username) => {
    const { policy } = new Policies().role('shop', 'reader', pods).bind('shop', 'Role', 'reader', subject)
    expect(policy.decide(asks('get core pods shop/web', { ...ann, username })).decision).toBe('allow')
    expect(policy.decide(asks('get core pods shop/web', { username: 'eve', groups: [] })).decision).toBe('none')
  })

  it('takes a group for no user and a user for no group', () => {
    const { policy } = new Policies().role('', 'reader', pods).bind('', 'ClusterRole', 'reader', user('team'))
    expect(policy.decide(asks('get core pods shop/web')).decision).toBe('none')
  })

  it('says that a role is missing, and goes on with the others', () => {
    const policies = new Policies().bind('', 'ClusterRole', 'gone', user('ann'))
    expect(policies.policy.decide(asks('get core pods shop/web'))).toEqual({
      decision: 'none',
      reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found',
    })
    policies.role('', 'reader', pods).bind('', 'ClusterRole', 'reader', user('ann'))
    expect(policies.policy.decide(asks('get core pods shop/web')).decision).toBe('allow')
  })

  it('looks at the bindings of the user alone, however many others there are', () => {
    const policies = new Policies().role('', 'reader', pods).bind('', 'ClusterRole', 'reader', user('ann'))
    for (let i = 0; i < 500; i++)
      policies
        .role('', `other-${i}`, on('get', 'x', `r${i}`))
        .bind('', 'ClusterRole', `other-${i}`, user(`u${i}`))
        .bind('shop', 'ClusterRole', `other-${i}`, user(`u${i}`))
    policies.policy.decide(asks('delete core pods shop/web'))
    expect(policies.visited).toBe(1)
  })
})

it('lists what a user may do, and what cannot be found', () => {
  const { policy } = new Policies()
    .role('', 'reader', pods)
    .role('shop', 'writer', on('create', 'core', 'pods'))
    .bind('', 'ClusterRole', 'reader', user('ann'))
    .bind('shop', 'Role', 'writer', user('ann'))
    .bind('shop', 'Role', 'gone', user('ann'))
  expect(policy.rulesFor(ann, 'shop')).toEqual({
    rules: [pods, on('create', 'core', 'pods')],
    errors: ['role.rbac.authorization.k8s.io "gone" not found'],
  })
  expect(policy.rulesFor(ann, '')).toEqual({ rules: [pods], errors: [] })
})
