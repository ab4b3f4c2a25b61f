import { ClusterRole, type PolicyRule } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { aggregateRules } from '../../src/aggregation/aggregate-rules.ts'
import { on } from '../../src/defaults/notation.ts'
import { eventually, startControlPlane } from '../control-plane.ts'

const part = (name: string, labels: Record<string, string>, ...rules: PolicyRule[]): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name, labels },
  rules,
})
const whole = (name: string, ...matchLabels: Record<string, string>[]): ClusterRole => ({
  ...part(name, {}),
  aggregationRule: { clusterRoleSelectors: matchLabels.map((labels) => ({ matchLabels: labels })) },
})
const pods = on('get', 'core', 'pods')
const jobs = on('get', 'batch', 'jobs')

describe('aggregateRules', () => {
  it('takes the rules of what any selector chooses, by names, each once, and never its own', () => {
    const all = [part('b', { x: '1' }, jobs, pods), part('a', { y: '1' }, pods), part('c', {}, on('*', '*', '*'))]
    const gathering = { ...whole('w', { x: '1' }, { y: '1' }), metadata: { name: 'w', labels: { x: '1' } }, rules: [on('*', '*', '*')] }
    expect(aggregateRules(gathering, [...all, gathering])).toEqual([pods, jobs])
  })

  it('takes nothing for a selector that cannot be read', () => {
    const broken: ClusterRole = {
      ...whole('w'),
      aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: 'x', operator: 'Near' }] }] },
    }
    expect(aggregateRules(broken, [part('a', { x: '1' }, pods)])).toEqual([])
  })
})

describe('an aggregated role', () => {
  it('follows roles that come, change, leave its selector and go', async () => {
    const { client } = await startControlPlane()
    const roles = client.for(ClusterRole)
    const rules = async () => (await roles.get('w')).rules ?? []
    await roles.create(whole('w', { x: '1' }))
    await roles.create(part('a', { x: '1' }, pods))
    await eventually(async () => expect(await rules()).toEqual([pods]))
    await roles.patch('a', { type: 'merge', body: { rules: [jobs] } })
    await eventually(async () => expect(await rules()).toEqual([jobs]))
    await roles.patch('a', { type: 'merge', body: { metadata: { labels: { x: null } } } })
    await eventually(async () => expect(await rules()).toEqual([]))
    await roles.patch('a', { type: 'merge', body: { metadata: { labels: { x: '1' } } } })
    await eventually(async () => expect(await rules()).toEqual([jobs]))
    await roles.delete('a')
    await eventually(async () => expect(await rules()).toEqual([]))
  })

  it('takes back what somebody writes into it', async () => {
    const { client } = await startControlPlane()
    const roles = client.for(ClusterRole)
    await roles.create(whole('w', { x: '1' }))
    await roles.patch('w', { type: 'merge', body: { rules: [on('*', '*', '*')] } })
    await eventually(async () => expect((await roles.get('w')).rules ?? []).toEqual([]))
  })

  it('gathers admin, edit and view, each with what is in the weaker ones', async () => {
    const { client } = await startControlPlane()
    const verbs = async (name: string, resource: string) =>
      new Set(
        ((await client.for(ClusterRole).get(name)).rules ?? [])
          .filter((rule) => rule.resources?.includes(resource))
          .flatMap((rule) => rule.verbs),
      )
    await eventually(async () => {
      expect([...(await verbs('view', 'pods'))].sort()).toEqual(['get', 'list', 'watch'])
      expect(await verbs('view', 'secrets')).toEqual(new Set())
      expect((await verbs('edit', 'pods')).size).toBe(8)
      expect(await verbs('edit', 'roles')).toEqual(new Set())
      expect((await verbs('admin', 'pods')).size).toBe(8)
      expect((await verbs('admin', 'roles')).size).toBe(8)
    })
  })
})
