import { beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { deployment } from './objects.ts'

/** `taint`, `cordon`, `uncordon` and `drain`, on a node of the case’s own that no agent serves. */
export function nodeCases(bench: () => Bench): void {
  let node = ''

  beforeAll(async () => {
    node = `spare-${bench().version.replace('.', '-')}`
    await bench().feed({ apiVersion: 'v1', kind: 'Node', metadata: { name: node }, spec: { podCIDR: '10.9.0.0/24' } }, 'create', '-f', '-')
  })

  test('a node may be made and read like any object', async () => {
    const { ok, stored } = bench()
    expect((await stored('nodes', node)).spec).toMatchObject({ podCIDR: '10.9.0.0/24', podCIDRs: ['10.9.0.0/24'] })
    expect(await ok('get', 'node', node)).toMatch(new RegExp(`${node}\\s+(NotReady|Unknown)`))
    expect(await ok('describe', 'node', node)).toMatch(/Unschedulable:\s+(true|false)/)
  })

  test('taint sets, refuses to overwrite, and removes', async () => {
    const { ok, refused, stored } = bench()
    const taints = async (): Promise<unknown[]> =>
      ((await stored('nodes', node)).spec.taints ?? []).filter(({ key }: { key: string }) => key === 'team')
    expect(await ok('taint', 'node', node, 'team=a:NoSchedule')).toBe(`node/${node} tainted\n`)
    expect(await taints()).toEqual([{ key: 'team', value: 'a', effect: 'NoSchedule' }])
    expect(await refused('taint', 'node', node, 'team=b:NoSchedule')).toContain(
      'already has team taint(s) with same effect(s) and --overwrite is false',
    )
    await ok('taint', 'node', node, 'team=b:NoSchedule', '--overwrite')
    expect(await taints()).toEqual([{ key: 'team', value: 'b', effect: 'NoSchedule' }])
    expect(await ok('taint', 'node', node, 'team:NoSchedule-')).toBe(`node/${node} untainted\n`)
    expect(await taints()).toEqual([])
  })

  test('cordon and uncordon', async () => {
    const { feed, ok, stored } = bench()
    const other = `${node}-c`
    await feed({ apiVersion: 'v1', kind: 'Node', metadata: { name: other } }, 'create', '-f', '-')
    expect(await ok('cordon', other)).toBe(`node/${other} cordoned\n`)
    expect((await stored('nodes', other)).spec.unschedulable).toBe(true)
    expect(await ok('get', 'node', other)).toContain('SchedulingDisabled')
    expect(await ok('cordon', other)).toBe(`node/${other} already cordoned\n`)
    expect(await ok('uncordon', other)).toBe(`node/${other} uncordoned\n`)
    expect((await stored('nodes', other)).spec.unschedulable).toBeUndefined()
  })

  test('drain evicts as far as the disruption budget allows', async () => {
    const { feed, ok, run, stored } = bench()
    const template = {
      metadata: { labels: { app: 'drained' } },
      spec: { nodeName: node, terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'host', command: ['true'] }] },
    }
    await feed(
      [
        {
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          metadata: { name: 'held' },
          spec: { minAvailable: 1, selector: { matchLabels: { app: 'held' } } },
        },
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'held', labels: { app: 'held' } }, spec: { ...template.spec } },
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'free' }, spec: template.spec },
      ],
      'create',
      '-f',
      '-',
    )
    // Nobody runs it: its agent would say that it is ready.
    await ok(
      'patch',
      'pod',
      'held',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}',
    )
    const refused = await run(['drain', node, '--force', '--timeout=4s', '--pod-selector=app=held'])
    expect(refused.code).toBe(1)
    expect(refused.stdout + refused.stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget.")
    expect((await stored('nodes', node)).spec.unschedulable).toBe(true)
    expect(await stored('pods', 'held')).toMatchObject({ metadata: { name: 'held' } })
    const free = await run(['drain', node, '--force', '--timeout=30s', '--pod-selector=app!=held'])
    expect(free.stderr + free.stdout).toContain(`node/${node} drained`)
    expect([free.code, await stored('pods', 'free')]).toEqual([0, undefined])
    await ok('delete', 'pdb', 'held')
    const last = await run(['drain', node, '--force', '--timeout=30s'])
    expect([last.code, last.stdout]).toEqual([0, expect.stringMatching(/pod\/held evicted\nnode\/.* drained\n$/)])
    await ok('uncordon', node)
    await eventually(async () => expect((await stored('nodes', node)).spec.unschedulable).toBeUndefined())
  })

  test('drain --disable-eviction deletes', async () => {
    const { feed, run, stored } = bench()
    const other = `${node}-b`
    await feed({ apiVersion: 'v1', kind: 'Node', metadata: { name: other } }, 'create', '-f', '-')
    const gone = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'gone' },
      spec: { nodeName: other, terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'host' }] },
    }
    await feed([gone, deployment('elsewhere', { replicas: 0 })], 'create', '-f', '-')
    const result = await run(['drain', other, '--force', '--disable-eviction', '--timeout=30s'])
    expect([result.code, result.stderr]).toEqual([0, expect.stringContaining('declare no controller')])
    expect(await stored('pods', 'gone')).toBeUndefined()
    await bench().ok('delete', 'node', other)
  })
}
