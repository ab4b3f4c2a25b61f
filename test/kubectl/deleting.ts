import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { configMap, cronTab, deployment, pod } from './objects.ts'

/** `delete` in all its ways. */
export function deletingCases(bench: () => Bench): void {
  test('delete by name, by file, by label and all', async () => {
    const { feed, ok, stored, directory } = bench()
    const file = join(directory, 'd.json')
    await writeFile(file, JSON.stringify(configMap('d1')))
    await feed(
      [configMap('d1'), configMap('d2', {}, { go: '1' }), configMap('d3', {}, { go: '1' }), configMap('d4'), cronTab('c1'), cronTab('c2')],
      'create',
      '-f',
      '-',
    )
    expect(await ok('delete', '-f', file)).toBe('configmap "d1" deleted\n')
    expect(await ok('delete', 'cm', '-l', 'go=1')).toBe('configmap "d2" deleted\nconfigmap "d3" deleted\n')
    expect(await ok('delete', 'cm/d4', 'ct/c1')).toBe('configmap "d4" deleted\ncrontab.stable.example.com "c1" deleted\n')
    expect(await ok('delete', 'ct', '--all')).toBe('crontab.stable.example.com "c2" deleted\n')
    for (const name of ['d1', 'd2', 'd3', 'd4']) expect(await stored('configmaps', name)).toBeUndefined()
    expect(await bench().refused('delete', 'cm', 'd1')).toBe('Error from server (NotFound): configmaps "d1" not found\n')
    expect(await ok('delete', 'cm', 'd1', '--ignore-not-found')).toBe('')
  })

  test('delete --dry-run deletes nothing', async () => {
    const { feed, ok, stored } = bench()
    await feed(configMap('dry'), 'create', '-f', '-')
    expect(await ok('delete', 'cm', 'dry', '--dry-run=server')).toBe('configmap "dry" deleted (server dry run)\n')
    expect(await ok('delete', 'cm', 'dry', '--dry-run=client')).toBe('configmap "dry" deleted (dry run)\n')
    expect((await stored('configmaps', 'dry')).metadata.deletionTimestamp).toBeUndefined()
  })

  test('delete in the background collects dependents, orphan leaves them, foreground waits for them', async () => {
    const { feed, ok, stored, cluster, namespace } = bench()
    await feed(
      ['background', 'orphan', 'foreground'].map((name) => deployment(name)),
      'create',
      '-f',
      '-',
    )
    const sets = async (app: string): Promise<{ metadata: { name: string; ownerReferences?: unknown } }[]> =>
      (await cluster.get(`/apis/apps/v1/namespaces/${namespace}/replicasets?labelSelector=app%3D${app}`)).body.items
    const pods = async (app: string): Promise<unknown[]> =>
      (await cluster.get(`/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${app}`)).body.items
    for (const name of ['background', 'orphan', 'foreground']) await eventually(async () => expect(await pods(name)).toHaveLength(1))

    await ok('delete', 'deploy', 'orphan', '--cascade=orphan')
    expect(await stored('deployments.apps', 'orphan')).toBeUndefined()
    const [left] = await sets('orphan')
    expect(left?.metadata.ownerReferences).toBeUndefined()

    await ok('delete', 'deploy', 'foreground', '--cascade=foreground', '--timeout=40s')
    expect([await stored('deployments.apps', 'foreground'), await sets('foreground'), await pods('foreground')]).toEqual([
      undefined,
      [],
      [],
    ])

    await ok('delete', 'deploy', 'background')
    await eventually(async () => expect([await sets('background'), await pods('background')]).toEqual([[], []]))
    await ok('delete', 'rs', left?.metadata.name ?? '')
  })

  test('delete gives a pod its grace, --now one second, and --force none', async () => {
    const { feed, ok, stored } = bench()
    const stubborn = "trap '' TERM; while :; do sleep 1; done"
    await feed(
      [pod('slow', stubborn), pod('forced', stubborn), pod('unbound', stubborn, { spec: { nodeSelector: { none: 'here' } } })],
      'create',
      '-f',
      '-',
    )
    await ok('wait', 'pod/slow', 'pod/forced', '--for=condition=Ready', '--timeout=30s')
    await ok('delete', 'pod', 'slow', '--grace-period=600', '--wait=false')
    const going = await stored('pods', 'slow')
    expect(going.metadata).toMatchObject({ deletionGracePeriodSeconds: 600, deletionTimestamp: expect.any(String) })
    expect(await ok('get', 'pod', 'slow')).toMatch(/slow\s+1\/1\s+Terminating/)
    expect(await ok('delete', 'pod', 'slow', '--now')).toBe('pod "slow" deleted\n')
    expect(await stored('pods', 'slow')).toBeUndefined()
    const forced = await bench().run(['delete', 'pod', 'forced', '--grace-period=0', '--force'])
    expect([forced.code, forced.stderr]).toEqual([0, expect.stringContaining('Immediate deletion does not wait for confirmation')])
    expect(await stored('pods', 'forced')).toBeUndefined()
    await ok('delete', 'pod', 'unbound')
    expect(await stored('pods', 'unbound')).toBeUndefined()
  })

  test('delete waits for finalizers, or does not', async () => {
    const { feed, ok, run, stored } = bench()
    await feed({ ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/hold'] } }, 'create', '-f', '-')
    const timed = await run(['delete', 'cm', 'held', '--timeout=1s'])
    expect([timed.code, timed.stderr]).toEqual([1, expect.stringContaining('timed out waiting for the condition on configmaps/held')])
    expect((await stored('configmaps', 'held')).metadata.deletionTimestamp).toBeDefined()
    await ok('delete', 'cm', 'held', '--wait=false')
    await ok('patch', 'cm', 'held', '--type=json', '-p', '[{"op":"remove","path":"/metadata/finalizers"}]')
    expect(await stored('configmaps', 'held')).toBeUndefined()
  })

  test('delete namespace empties it', async () => {
    const { feed, ok, stored, namespace, cluster } = bench()
    const name = `${namespace}-gone`
    await ok('create', 'ns', name)
    await feed([configMap('a'), cronTab('b'), deployment('c')], 'create', '--namespace', name, '-f', '-')
    expect(await ok('delete', 'ns', name, '--timeout=50s')).toBe(`namespace "${name}" deleted\n`)
    expect(await stored('namespaces', name)).toBeUndefined()
    expect((await cluster.get(`/api/v1/namespaces/${name}/pods`)).body.items).toEqual([])
    expect((await cluster.get(`/apis/stable.example.com/v1/namespaces/${name}/crontabs`)).body.items).toEqual([])
  })
}
