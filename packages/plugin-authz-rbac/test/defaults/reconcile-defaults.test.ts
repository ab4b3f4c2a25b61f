import { createHost, definePlugin, MemoryStore, ObjectClientCap, StoreCap } from '@continuo/core'
import { ClusterRole, ClusterRoleBinding, workloadKinds } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { on } from '../../src/defaults/notation.ts'
import { mendedBinding, mendedRole } from '../../src/defaults/reconcile-defaults.ts'
import { defaultClusterRoleBindings, defaultClusterRoles, rbac } from '../../src/index.ts'

const named = <T extends { readonly metadata: { readonly name: string } }>(all: readonly T[], name: string): T =>
  structuredClone(all.find((one) => one.metadata.name === name)) as T

describe('the table of defaults', () => {
  it('binds only roles that are in it, and names each once', () => {
    const names = defaultClusterRoles.map((role) => role.metadata.name)
    expect(new Set(names).size).toBe(names.length)
    for (const { roleRef } of defaultClusterRoleBindings) expect(names).toContain(roleRef.name)
  })

  it('lets the anonymous see nothing but health and version', () => {
    const open = defaultClusterRoleBindings.filter(({ subjects }) => subjects?.some(({ name }) => name === 'system:unauthenticated'))
    expect(open.map(({ roleRef }) => roleRef.name)).toEqual(['system:public-info-viewer'])
    expect(named(defaultClusterRoles, 'system:public-info-viewer').rules).toEqual([
      { nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'], verbs: ['get'] },
    ])
  })
})

describe('mending', () => {
  const wanted = named(defaultClusterRoles, 'system:basic-user')
  const binding = named(defaultClusterRoleBindings, 'system:discovery')

  it('leaves what is as it should be', () => {
    expect(mendedRole(structuredClone(wanted), wanted)).toBeUndefined()
    expect(mendedBinding(structuredClone(binding), binding)).toBeUndefined()
    const aggregated = named(defaultClusterRoles, 'admin')
    expect(mendedRole({ ...structuredClone(aggregated), rules: [on('get', 'x', 'y')] }, aggregated)).toBeUndefined()
  })

  it('adds what is missing and keeps what was added by hand', () => {
    const own = on('get', 'example.com', 'things')
    const found = { ...structuredClone(wanted), rules: [own, on('create', 'authentication.k8s.io', 'selfsubjectreviews')] }
    expect(mendedRole(found, wanted)?.rules).toEqual([
      ...found.rules,
      on('create', 'authorization.k8s.io', 'selfsubjectaccessreviews'),
      on('create', 'authorization.k8s.io', 'selfsubjectrulesreviews'),
    ])
    const eve = { kind: 'User', name: 'eve' }
    expect(mendedBinding({ ...structuredClone(binding), subjects: [eve] }, binding)).toMatchObject({
      subjects: [eve, ...(binding.subjects ?? [])],
    })
  })

  it('touches nothing whose annotation says so', () => {
    const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' }
    expect(mendedRole({ ...wanted, metadata: { ...wanted.metadata, annotations }, rules: [] }, wanted)).toBeUndefined()
    expect(mendedBinding({ ...binding, metadata: { ...binding.metadata, annotations }, subjects: [] }, binding)).toBeUndefined()
  })

  it('makes a binding anew that gives another role', () => {
    expect(mendedBinding({ ...binding, roleRef: { ...binding.roleRef, name: 'cluster-admin' } }, binding)).toBe('replace')
  })
})

it('makes the defaults at the first start, mends them at the next, and writes nothing when all is well', async () => {
  const store = new MemoryStore()
  const kept = definePlugin({ name: 'kept', api: '^1', provides: [StoreCap], setup: (ctx) => ctx.provide(StoreCap, store) })
  const run = async <T>(work: (client: ReturnType<typeof clientOf>) => Promise<T>): Promise<T> => {
    const host = createHost({
      name: 'test',
      role: 'control-plane',
      leaderElection: false,
      plugins: [
        { slot: 'store', plugin: kept },
        { slot: 'kinds', plugin: workloadKinds },
        { slot: 'rbac', plugin: rbac },
      ],
    })
    await host.start()
    try {
      return await work(clientOf(host))
    } finally {
      await host.stop()
    }
  }
  const clientOf = (host: ReturnType<typeof createHost>) => host.use(ObjectClientCap)
  await run(async (client) => {
    expect((await client.for(ClusterRole).list()).items).toHaveLength(defaultClusterRoles.length)
    expect((await client.for(ClusterRoleBinding).list()).items).toHaveLength(defaultClusterRoleBindings.length)
    await client.for(ClusterRole).delete('system:discovery')
    await client.for(ClusterRoleBinding).delete('system:discovery')
    const other = named(defaultClusterRoleBindings, 'system:discovery')
    await client.for(ClusterRoleBinding).create({ ...other, roleRef: { ...other.roleRef, name: 'cluster-admin' } })
    await client.for(ClusterRole).patch('system:basic-user', { type: 'merge', body: { rules: [] } })
  })
  const versions = await run(async (client) => {
    expect((await client.for(ClusterRole).get('system:discovery')).rules).toHaveLength(1)
    expect((await client.for(ClusterRoleBinding).get('system:discovery')).roleRef.name).toBe('system:discovery')
    expect((await client.for(ClusterRole).get('system:basic-user')).rules?.length).toBeGreaterThan(0)
    const { items } = await client.for(ClusterRole).list()
    return items.filter(({ aggregationRule }) => aggregationRule === undefined).map(({ metadata }) => metadata.resourceVersion)
  })
  await run(async (client) => {
    const { items } = await client.for(ClusterRole).list()
    expect(items.filter(({ aggregationRule }) => aggregationRule === undefined).map(({ metadata }) => metadata.resourceVersion)).toEqual(
      versions,
    )
  })
})
