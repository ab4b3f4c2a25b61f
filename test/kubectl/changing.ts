import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { configMap, cronTab, deployment } from './objects.ts'

/** `label`, `annotate`, `patch`, `edit`, `scale`, `set` and `autoscale`. */
export function changingCases(bench: () => Bench): void {
  beforeAll(async () => {
    await bench().feed(
      [
        deployment('web', { replicas: 0 }),
        configMap('cm', { a: '1' }),
        ...['tab', 'status', 'edited', 'scaled'].map((name) => cronTab(name)),
        configMap('edited', { a: '1' }),
        deployment('set', { replicas: 0 }),
      ],
      'create',
      '-f',
      '-',
    )
  })

  test('label sets, refuses to overwrite, overwrites and removes', async () => {
    const { ok, refused, stored } = bench()
    const labels = async (): Promise<unknown> => (await stored('crontabs.stable.example.com', 'tab')).metadata.labels
    expect(await ok('label', 'ct', 'tab', 'tier=a')).toBe('crontab.stable.example.com/tab labeled\n')
    expect(await refused('label', 'ct', 'tab', 'tier=b')).toContain("'tier' already has a value (a), and --overwrite is false")
    await ok('label', 'ct', 'tab', 'tier=b', 'other=', '--overwrite')
    expect(await labels()).toEqual({ tier: 'b', other: '' })
    expect(await ok('label', 'ct', 'tab', 'tier-')).toBe('crontab.stable.example.com/tab unlabeled\n')
    expect(await labels()).toEqual({ other: '' })
    expect(await ok('label', 'cm', '-l', 'none=here', 'x=y')).toBe('')
    expect(await ok('label', 'ct', 'tab', '--list')).toBe('other=\n')
  })

  test('annotate sets and removes', async () => {
    const { ok, stored } = bench()
    await ok('annotate', 'deploy/web', 'note=one two', 'kubernetes.io/change-cause=first')
    expect((await stored('deployments.apps', 'web')).metadata.annotations).toMatchObject({
      note: 'one two',
      'kubernetes.io/change-cause': 'first',
    })
    await ok('annotate', 'deploy/web', 'note-')
    expect((await stored('deployments.apps', 'web')).metadata.annotations).not.toHaveProperty('note')
  })

  test('patch by strategic merge, by merge patch and by JSON patch', async () => {
    const { ok, refused, stored } = bench()
    const generation = (await stored('deployments.apps', 'web')).metadata.generation
    const containers = '{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"Q","value":"1"}]}]}}}}'
    expect(await ok('patch', 'deploy', 'web', '-p', containers)).toBe('deployment.apps/web patched\n')
    // kubectl compares whole objects: while the rollout runs, the status may change between its read and its patch.
    await eventually(async () =>
      expect(await ok('patch', 'deploy', 'web', '-p', containers)).toBe('deployment.apps/web patched (no change)\n'),
    )
    const { spec, metadata } = await stored('deployments.apps', 'web')
    expect(spec.template.spec.containers).toMatchObject([{ name: 'main', image: 'host', env: [{ name: 'Q', value: '1' }] }])
    expect(metadata.generation).toBe(generation + 1)
    await ok('patch', 'cm', 'cm', '--type=merge', '-p', '{"data":{"a":null,"b":"2"}}')
    expect((await stored('configmaps', 'cm')).data).toEqual({ b: '2' })
    await ok(
      'patch',
      'cm',
      'cm',
      '--type=json',
      '-p',
      '[{"op":"test","path":"/data/b","value":"2"},{"op":"move","from":"/data/b","path":"/data/c"}]',
    )
    expect((await stored('configmaps', 'cm')).data).toEqual({ c: '2' })
    expect(await refused('patch', 'cm', 'cm', '--type=json', '-p', '[{"op":"test","path":"/data/c","value":"3"}]')).toMatch(
      /^The request is invalid: the server rejected our request due to an error in our request/,
    )
    expect((await stored('configmaps', 'cm')).data).toEqual({ c: '2' })
  })

  test('patch changes a subresource alone', async () => {
    const { ok, stored, atLeast } = bench()
    await ok('patch', 'ct', 'status', '--subresource=status', '--type=merge', '-p', '{"status":{"phase":"ready"},"spec":{"image":"no"}}')
    const { spec, status, metadata } = await stored('crontabs.stable.example.com', 'status')
    expect([spec.image, status, metadata.generation]).toEqual([undefined, { phase: 'ready' }, 1])
    if (atLeast(28)) {
      await ok('patch', 'deploy', 'set', '--subresource=scale', '--type=merge', '-p', '{"spec":{"replicas":0}}')
      expect((await stored('deployments.apps', 'set', 'scale')).spec.replicas ?? 0).toBe(0)
    }
  })

  test('edit sends what the editor saved, and nothing when nothing changed', async () => {
    const { run, stored, directory } = bench()
    const editor = async (script: string): Promise<Record<string, string>> => {
      const path = join(directory, `editor-${script.length}.sh`)
      await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      return { KUBE_EDITOR: path }
    }
    const changed = await run(['edit', 'cm', 'edited'], { env: await editor('sed -i \'s/a: "1"/a: "9"/\' "$1"') })
    expect([changed.code, changed.stdout]).toEqual([0, 'configmap/edited edited\n'])
    expect((await stored('configmaps', 'edited')).data).toEqual({ a: '9' })
    const same = await run(['edit', 'cm', 'edited'], { env: await editor('true') })
    expect([same.code, same.stdout + same.stderr]).toEqual([0, expect.stringContaining('Edit cancelled, no changes made.')])
    const custom = await run(['edit', 'ct', 'edited'], { env: await editor('sed -i \'s/  replicas: 1/  replicas: 2/\' "$1"') })
    expect([custom.code, custom.stdout]).toEqual([0, 'crontab.stable.example.com/edited edited\n'])
    expect((await stored('crontabs.stable.example.com', 'edited')).spec.replicas).toBe(2)
    // The second call of the editor finds the fault as a comment at the top and gives up by leaving the file as it is.
    const bad = await run(['edit', 'cm', 'edited'], {
      env: await editor('grep -q "^# configmaps\\|^#.*invalid" "$1" || sed -i \'s/a: "9"/"bad key!": "9"/\' "$1"'),
    })
    expect(bad.code).not.toBe(0)
    expect(bad.stderr).toContain('configmaps "edited" is invalid')
    expect((await stored('configmaps', 'edited')).data).toEqual({ a: '9' })
  })

  test('scale sets the count of a deployment and of a custom resource, on a condition', async () => {
    const { ok, refused, stored } = bench()
    expect(await ok('scale', 'ct/scaled', '--replicas=4')).toBe('crontab.stable.example.com/scaled scaled\n')
    expect((await stored('crontabs.stable.example.com', 'scaled')).spec.replicas).toBe(4)
    await ok('scale', 'deploy', 'set', '--current-replicas=0', '--replicas=0')
    expect(await refused('scale', 'deploy', 'set', '--current-replicas=9', '--replicas=1')).toContain('Expected replicas to be 9, was 0')
    expect(await refused('scale', 'ct/scaled', '--replicas=40')).toMatch(
      /spec.replicas: Invalid value: 40: spec.replicas in body should be less than or equal to 10/,
    )
    expect(await refused('scale', 'cm/cm', '--replicas=1')).toContain('the server could not find the requested resource')
    expect((await stored('crontabs.stable.example.com', 'scaled')).spec.replicas).toBe(4)
  })

  test('set changes image, environment, resources, service account, selector and subject', async () => {
    const { ok, stored } = bench()
    const container = async (): Promise<unknown> => (await stored('deployments.apps', 'set')).spec.template.spec.containers[0]
    expect(await ok('set', 'image', 'deploy/set', 'main=host:2')).toBe('deployment.apps/set image updated\n')
    expect(await container()).toMatchObject({ image: 'host:2' })
    await ok('set', 'env', 'deploy/set', 'A=b', 'C=d')
    await ok('set', 'env', 'deploy/set', 'C-')
    expect(await container()).toMatchObject({ env: [{ name: 'A', value: 'b' }] })
    expect(await ok('set', 'env', 'deploy/set', '--list')).toContain('A=b')
    await ok('set', 'env', 'deploy/set', '--from=configmap/edited', '--prefix=P_')
    expect((await container()) as object).toMatchObject({
      env: [{ name: 'A' }, { name: 'P_A', valueFrom: { configMapKeyRef: { key: 'a', name: 'edited' } } }],
    })
    await ok('set', 'resources', 'deploy/set', '--limits=cpu=200m,memory=512Mi', '--requests=cpu=100m')
    expect(await container()).toMatchObject({ resources: { limits: { cpu: '200m', memory: '512Mi' }, requests: { cpu: '100m' } } })
    await ok('set', 'serviceaccount', 'deploy/set', 'default')
    expect((await stored('deployments.apps', 'set')).spec.template.spec.serviceAccountName).toBe('default')
    await ok('create', 'service', 'clusterip', 'sel', '--tcp=80')
    await ok('set', 'selector', 'service', 'sel', 'app=other')
    expect((await stored('services', 'sel')).spec.selector).toEqual({ app: 'other' })
    await ok('create', 'rolebinding', 'rb', '--clusterrole=view', '--user=a')
    await ok('set', 'subject', 'rolebinding', 'rb', '--user=b')
    expect((await stored('rolebindings.rbac.authorization.k8s.io', 'rb')).subjects.map(({ name }: { name: string }) => name)).toEqual([
      'a',
      'b',
    ])
  })

  test('autoscale makes an autoscaler', async () => {
    const { ok, stored } = bench()
    expect(await ok('autoscale', 'deployment', 'web', '--min=1', '--max=4', '--cpu-percent=70')).toBe(
      'horizontalpodautoscaler.autoscaling/web autoscaled\n',
    )
    expect((await stored('horizontalpodautoscalers.autoscaling', 'web')).spec).toMatchObject({
      minReplicas: 1,
      maxReplicas: 4,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
    })
    expect(await ok('get', 'hpa', 'web')).toMatch(/web\s+Deployment\/web\s+\S*\s*<unknown>\/70%\s+1\s+4\s+0/)
  })
}
