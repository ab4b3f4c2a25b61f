import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Bench } from './cluster.ts'
import { configMap, cronTab, deployment, shell } from './objects.ts'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** `apply`, `diff` and `replace`. */
export function applyingCases(bench: () => Bench): void {
  test('apply on the client creates, leaves alone, changes and removes what it had set', async () => {
    const { feed, ok, stored } = bench()
    const apply = (data: Record<string, string>): Promise<string> => feed(configMap('client', data), 'apply', '-f', '-')
    expect(await apply({ a: '1', b: '1' })).toBe('configmap/client created\n')
    expect(await apply({ a: '1', b: '1' })).toBe('configmap/client unchanged\n')
    await ok('patch', 'cm', 'client', '--type=merge', '-p', '{"data":{"mine":"kept"}}')
    expect(await apply({ a: '2' })).toBe('configmap/client configured\n')
    const after = await stored('configmaps', 'client')
    expect(after.data).toEqual({ a: '2', mine: 'kept' })
    expect(JSON.parse(after.metadata.annotations[lastApplied]).data).toEqual({ a: '2' })
  })

  test('apply on the client merges the containers of a deployment by name', async () => {
    const { feed, ok, stored } = bench()
    const sidecar = { name: 'side', image: 'host', command: ['true'] }
    const pod = (containers: object[]): object => ({
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'm' } },
        template: { metadata: { labels: { app: 'm' } }, spec: { containers } },
      },
    })
    const base = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'm' } }
    await feed(
      {
        ...base,
        ...pod([
          shell('true', {
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '1' },
            ],
          }),
          sidecar,
        ]),
      },
      'apply',
      '-f',
      '-',
    )
    await ok('set', 'env', 'deploy/m', '-c', 'main', 'FOREIGN=1')
    await feed({ ...base, ...pod([shell('true', { env: [{ name: 'B', value: '2' }] })]) }, 'apply', '-f', '-')
    const { containers } = (await stored('deployments.apps', 'm')).spec.template.spec
    expect(containers.map(({ name }: { name: string }) => name)).toEqual(['main'])
    expect(containers[0].env).toEqual(
      expect.arrayContaining([
        { name: 'B', value: '2' },
        { name: 'FOREIGN', value: '1' },
      ]),
    )
    expect(containers[0].env).toHaveLength(2)
  })

  test('apply on the client changes a custom resource by a merge patch', async () => {
    const { feed, stored } = bench()
    await feed(cronTab('tab', { image: 'a', replicas: 2 }), 'apply', '-f', '-')
    expect(await feed(cronTab('tab', { replicas: 3 }), 'apply', '-f', '-')).toBe('crontab.stable.example.com/tab configured\n')
    expect((await stored('crontabs.stable.example.com', 'tab')).spec).toEqual({ cronSpec: '* * * * 5', replicas: 3 })
  })

  test('apply on the server owns fields, names the other owner, and takes them by force', async () => {
    const { feed, refusedFeed, stored } = bench()
    const server = ['apply', '--server-side', '-f', '-']
    expect(await feed(configMap('server', { x: '1', y: '1' }), ...server, '--field-manager=ann')).toBe(
      'configmap/server serverside-applied\n',
    )
    const conflict = await refusedFeed(configMap('server', { x: '2' }), ...server, '--field-manager=bob')
    expect(conflict).toContain('Apply failed with 1 conflict: conflict with "ann": .data.x')
    expect(conflict).toContain('--force-conflicts')
    expect((await stored('configmaps', 'server')).data).toEqual({ x: '1', y: '1' })
    await feed(configMap('server', { x: '2' }), ...server, '--field-manager=bob', '--force-conflicts')
    const { data, metadata } = await stored('configmaps', 'server')
    expect(data).toEqual({ x: '2', y: '1' })
    const owned = (manager: string): unknown => metadata.managedFields.find((entry: { manager: string }) => entry.manager === manager)
    expect(owned('ann')).toMatchObject({ operation: 'Apply', fieldsV1: { 'f:data': { 'f:y': {} } } })
    expect(owned('bob')).toMatchObject({ operation: 'Apply', fieldsV1: { 'f:data': { 'f:x': {} } } })
    await feed(configMap('server', {}), ...server, '--field-manager=ann')
    expect((await stored('configmaps', 'server')).data).toEqual({ x: '2' })
  })

  test('apply on the server merges lists of a built-in kind and of a custom resource by their keys', async () => {
    const { feed, stored } = bench()
    const by = (manager: string): string[] => ['apply', '--server-side', '-f', '-', `--field-manager=${manager}`]
    await feed(deployment('lists', { replicas: 0 }), ...by('ann'))
    const extra = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'lists' },
      spec: { template: { spec: { containers: [{ name: 'main', env: [{ name: 'A', value: '1' }] }] } } },
    }
    await feed(extra, ...by('bob'))
    expect((await stored('deployments.apps', 'lists')).spec.template.spec.containers).toMatchObject([
      { name: 'main', image: 'host', env: [{ name: 'A', value: '1' }] },
    ])
    await feed(cronTab('lists', { parts: [{ name: 'a', value: '1' }] }), ...by('ann'))
    await feed(cronTab('lists', { parts: [{ name: 'b', value: '2' }] }), ...by('bob'))
    expect((await stored('crontabs.stable.example.com', 'lists')).spec.parts).toEqual([
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ])
  })

  test('apply on the server takes over what was applied on the client', async () => {
    const { feed, stored } = bench()
    await feed(configMap('moved', { a: '1', b: '1' }), 'apply', '-f', '-')
    await feed(configMap('moved', { a: '2' }), 'apply', '--server-side', '-f', '-')
    const { data, metadata } = await stored('configmaps', 'moved')
    expect(data).toEqual({ a: '2' })
    expect(metadata.managedFields.filter((entry: { manager: string }) => entry.manager === 'kubectl-client-side-apply')).toEqual([])
  })

  test('apply --dry-run=server stores nothing, apply view-last-applied and edit the annotation back', async () => {
    const { feed, ok, stored } = bench()
    await feed(configMap('dry', { a: '1' }), 'apply', '-f', '-')
    expect(await feed(configMap('dry', { a: '2' }), 'apply', '-f', '-', '--dry-run=server')).toBe(
      'configmap/dry configured (server dry run)\n',
    )
    expect((await stored('configmaps', 'dry')).data).toEqual({ a: '1' })
    expect(JSON.parse(await ok('apply', 'view-last-applied', 'cm/dry', '-o', 'json')).data).toEqual({ a: '1' })
    await feed(configMap('dry', { a: '7' }), 'apply', 'set-last-applied', '-f', '-')
    expect(JSON.parse((await stored('configmaps', 'dry')).metadata.annotations[lastApplied]).data).toEqual({ a: '7' })
  })

  test('apply --prune deletes what the files no longer have', async () => {
    const { feed, ok, stored } = bench()
    const labels = { set: 'pruned' }
    const prune = ['apply', '-f', '-', '--prune', '-l', 'set=pruned', '--prune-allowlist=core/v1/ConfigMap']
    await feed([configMap('p1', {}, labels), configMap('p2', {}, labels)], ...prune)
    await ok('create', 'cm', 'p3')
    expect(await feed(configMap('p1', {}, labels), ...prune)).toContain('configmap/p2 pruned')
    expect(await stored('configmaps', 'p1')).toBeDefined()
    expect(await stored('configmaps', 'p2')).toBeUndefined()
    expect(await stored('configmaps', 'p3')).toBeDefined()
  })

  test('diff shows what apply would change and exits with 1, with 0 when nothing would', async () => {
    const { feed, run, stored } = bench()
    await feed([configMap('d', { a: '1' }), cronTab('d')], 'apply', '-f', '-')
    expect((await run(['diff', '-f', '-'], { input: JSON.stringify(configMap('d', { a: '1' })) })).code).toBe(0)
    const changed = await run(['diff', '-f', '-'], { input: JSON.stringify(configMap('d', { a: '2' })) })
    expect(changed.code).toBe(1)
    expect(changed.stdout).toMatch(/-\s+a: "1"\n\+\s+a: "2"/)
    const custom = await run(['diff', '--server-side', '--field-manager=kubectl', '--force-conflicts', '-f', '-'], {
      input: JSON.stringify(cronTab('d', { replicas: 4 })),
    })
    expect([custom.code, custom.stdout]).toEqual([1, expect.stringMatching(/-\s+replicas: 1\n\+\s+replicas: 4/)])
    const fresh = await run(['diff', '-f', '-'], { input: JSON.stringify(configMap('fresh')) })
    expect([fresh.code, fresh.stdout]).toEqual([1, expect.stringMatching(/\+kind: ConfigMap/)])
    expect((await stored('configmaps', 'd')).data).toEqual({ a: '1' })
    expect(await stored('configmaps', 'fresh')).toBeUndefined()
  })

  test('replace sets the whole object, refuses a stale version, and makes it anew by force', async () => {
    const { feed, ok, refusedFeed, stored, directory } = bench()
    await feed(configMap('r', { a: '1' }), 'create', '-f', '-')
    const first = await stored('configmaps', 'r')
    expect(await feed(configMap('r', { b: '2' }), 'replace', '-f', '-')).toBe('configmap/r replaced\n')
    expect((await stored('configmaps', 'r')).data).toEqual({ b: '2' })
    const stale = { ...configMap('r', { c: '3' }), metadata: { name: 'r', resourceVersion: first.metadata.resourceVersion } }
    expect(await refusedFeed(stale, 'replace', '-f', '-')).toContain(
      'Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on configmaps "r": the object has been modified; please apply your changes to the latest version and try again',
    )
    const file = join(directory, 'r.json')
    await writeFile(file, JSON.stringify(configMap('r', { d: '4' })))
    expect(await ok('replace', '--force', '-f', file)).toBe('configmap "r" deleted\nconfigmap/r replaced\n')
    const last = await stored('configmaps', 'r')
    expect([last.data, last.metadata.uid === first.metadata.uid]).toEqual([{ d: '4' }, false])
    expect(await refusedFeed(configMap('absent'), 'replace', '-f', '-')).toContain('configmaps "absent" not found')
    await feed(cronTab('r'), 'create', '-f', '-')
    await feed(cronTab('r', { replicas: 5 }), 'replace', '-f', '-')
    expect((await stored('crontabs.stable.example.com', 'r')).spec.replicas).toBe(5)
  })
}
