import type { ApiError } from '@continuo/core'
import { ClusterRole, ClusterRoleBinding, ConfigMap, type PolicyRule, Role, RoleBinding } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { at, on } from '../../src/defaults/notation.ts'
import { startControlPlane } from '../control-plane.ts'

const apiVersion = 'rbac.authorization.k8s.io/v1'
const namespace = 'default'
const role = (name: string, ...rules: PolicyRule[]): Role => ({ apiVersion, kind: 'Role', metadata: { name, namespace }, rules })
const clusterRole = (name: string, ...rules: PolicyRule[]): ClusterRole => ({ apiVersion, kind: 'ClusterRole', metadata: { name }, rules })
const binding = (name: string, kind: 'Role' | 'ClusterRole', roleName: string): RoleBinding => ({
  apiVersion,
  kind: 'RoleBinding',
  metadata: { name, namespace },
  roleRef: { kind, name: roleName },
  subjects: [{ kind: 'User', name: 'eve' }],
})
const refused = (why: string) => ({ reason: 'Forbidden', message: expect.stringContaining(why) }) as unknown as ApiError
/** Everything about roles but the right to give what one does not have. */
const rbacWrites = on('create update patch delete get', 'rbac.authorization.k8s.io', 'roles rolebindings clusterroles clusterrolebindings')

describe('creating a role', () => {
  it('gives what one has, and refuses more in the words of Kubernetes', async () => {
    const { as, grant } = await startControlPlane()
    await grant('eve', namespace, [on('get list', 'core', 'pods'), rbacWrites])
    const eve = as('eve').for(Role)
    await eve.create(role('reader', on('get', 'core', 'pods')))
    await expect(eve.create(role('writer', on('get delete', 'core', 'pods'), on('get', 'core', 'secrets')))).rejects.toMatchObject({
      reason: 'Forbidden',
      message:
        'roles.rbac.authorization.k8s.io "writer" is forbidden: user "eve" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n' +
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
    })
  })

  it('refuses the same by update, patch and apply', async () => {
    const { as, grant } = await startControlPlane()
    await grant('eve', namespace, [on('get', 'core', 'pods'), rbacWrites])
    const eve = as('eve').for(Role)
    const made = await eve.create(role('reader', on('get', 'core', 'pods')))
    const more = [on('*', '*', '*')]
    await expect(eve.update({ ...made, rules: more })).rejects.toMatchObject(refused('not currently held'))
    await expect(eve.patch(`${namespace}/reader`, { type: 'merge', body: { rules: more } })).rejects.toMatchObject(
      refused('not currently held'),
    )
    await expect(eve.apply(role('other', ...more), { fieldManager: 'eve' })).rejects.toMatchObject(refused('not currently held'))
    await expect(eve.create(role('dry', ...more), { dryRun: true })).rejects.toMatchObject(refused('not currently held'))
  })

  it('lets pass who may escalate', async () => {
    const { as, grant } = await startControlPlane()
    await grant('eve', namespace, [on('escalate create', 'rbac.authorization.k8s.io', 'roles')])
    await as('eve')
      .for(Role)
      .create(role('all', on('*', '*', '*')))
  })

  it('does not take rights in one namespace for rights in another, nor for the cluster', async () => {
    const { as, grant, client } = await startControlPlane()
    await grant('eve', namespace, [on('get', 'core', 'pods')])
    await grant('eve', '', [rbacWrites], 'eve-roles')
    await expect(
      as('eve')
        .for(ClusterRole)
        .create(clusterRole('c', on('get', 'core', 'pods'))),
    ).rejects.toMatchObject(refused('currently held'))
    await expect(
      as('eve')
        .for(Role)
        .create({ ...role('r', on('get', 'core', 'pods')), metadata: { name: 'r', namespace: 'kube-system' } }),
    ).rejects.toMatchObject(refused('currently held'))
    await client.for(ClusterRole).create(clusterRole('c', on('get', 'core', 'pods')))
  })

  it('lets nobody but an administrator aggregate', async () => {
    const { as, grant } = await startControlPlane()
    await grant('eve', '', [rbacWrites])
    await grant('root', '', [on('*', '*', '*'), at('*', '*')])
    const gathering = (name: string): ClusterRole => ({
      ...clusterRole(name),
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { x: 'y' } }] },
    })
    await expect(as('eve').for(ClusterRole).create(gathering('g'))).rejects.toMatchObject(
      refused('clusterroles.rbac.authorization.k8s.io "g" is forbidden: must have cluster-admin privileges to use the aggregationRule'),
    )
    await as('root').for(ClusterRole).create(gathering('g'))
  })

  it('lets the garbage collector clear finalizers of a role that its user could not give', async () => {
    const { as, client, grant } = await startControlPlane()
    await grant('gc', namespace, [rbacWrites])
    const strong = role('strong', on('*', '*', '*'))
    await client.for(Role).create({ ...strong, metadata: { ...strong.metadata, finalizers: ['example.com/hold'] } })
    const gc = as('gc').for(Role)
    await gc.patch(`${namespace}/strong`, { type: 'merge', body: { metadata: { finalizers: null } } })
    await expect(gc.patch(`${namespace}/strong`, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } })).rejects.toMatchObject(
      refused('not currently held'),
    )
  })
})

describe('binding a role', () => {
  it('gives what one has, and refuses more', async () => {
    const { as, grant, client } = await startControlPlane()
    await client.for(Role).create(role('reader', on('get', 'core', 'pods')))
    await client.for(Role).create(role('writer', on('create', 'core', 'pods')))
    await grant('eve', namespace, [on('get', 'core', 'pods'), rbacWrites])
    const eve = as('eve').for(RoleBinding)
    await eve.create(binding('reader', 'Role', 'reader'))
    await expect(eve.create(binding('writer', 'Role', 'writer'))).rejects.toMatchObject(
      refused('rolebindings.rbac.authorization.k8s.io "writer" is forbidden: user "eve"'),
    )
    await expect(eve.create(binding('admin', 'ClusterRole', 'cluster-admin'))).rejects.toMatchObject(refused('not currently held'))
    await expect(
      as('eve')
        .for(ClusterRoleBinding)
        .create({ ...binding('admin', 'ClusterRole', 'cluster-admin'), kind: 'ClusterRoleBinding', metadata: { name: 'admin' } }),
    ).rejects.toMatchObject({ reason: 'Forbidden' })
  })

  it('does not widen an existing binding either', async () => {
    const { as, grant, client } = await startControlPlane()
    await client.for(RoleBinding).create({ ...binding('admins', 'ClusterRole', 'cluster-admin'), subjects: [] })
    await grant('eve', namespace, [rbacWrites])
    await expect(
      as('eve')
        .for(RoleBinding)
        .patch(`${namespace}/admins`, { type: 'merge', body: { subjects: [{ kind: 'User', name: 'eve' }] } }),
    ).rejects.toMatchObject(refused('not currently held'))
  })

  it('lets pass who may bind that very role', async () => {
    const { as, grant } = await startControlPlane()
    await grant('eve', namespace, [rbacWrites, on('bind', 'rbac.authorization.k8s.io', 'clusterroles', 'view')])
    const eve = as('eve').for(RoleBinding)
    await eve.create(binding('view', 'ClusterRole', 'view'))
    await expect(eve.create(binding('edit', 'ClusterRole', 'edit'))).rejects.toMatchObject(refused('not currently held'))
  })

  it('is 404 for a role that does not exist', async () => {
    const { as, grant } = await startControlPlane()
    await grant('eve', namespace, [rbacWrites])
    await expect(
      as('eve')
        .for(RoleBinding)
        .create(binding('x', 'ClusterRole', 'gone')),
    ).rejects.toMatchObject({
      reason: 'NotFound',
      message: 'clusterroles.rbac.authorization.k8s.io "gone" not found',
    })
  })
})

describe('a client that acts for somebody', () => {
  it('may what they may', async () => {
    const { as, grant, client } = await startControlPlane()
    await grant('ann', namespace, [on('get', 'core', 'configmaps')])
    await client.for(ConfigMap).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace } })
    expect((await as('ann').for(ConfigMap).get(`${namespace}/a`)).metadata.name).toBe('a')
    await expect(as('ann').for(ConfigMap).delete(`${namespace}/a`)).rejects.toMatchObject({
      reason: 'Forbidden',
      message: 'configmaps "a" is forbidden: User "ann" cannot delete resource "configmaps" in API group "" in the namespace "default"',
    })
    await as('root', 'system:masters').for(ConfigMap).delete(`${namespace}/a`)
  })

  it('may not create by apply what they may only patch', async () => {
    const { as, grant } = await startControlPlane()
    await grant('ann', namespace, [on('patch', 'core', 'configmaps')])
    const map: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace } }
    await expect(as('ann').for(ConfigMap).apply(map, { fieldManager: 'ann' })).rejects.toMatchObject(
      refused('cannot create resource "configmaps"'),
    )
  })
})
