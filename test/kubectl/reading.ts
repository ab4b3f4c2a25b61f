import { spawn } from 'node:child_process'
import { beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { configMap, cronTab, deployment } from './objects.ts'

/** `get` in all its forms, and the verbs that tell what the server has. */
export function readingCases(bench: () => Bench): void {
  beforeAll(async () => {
    const { feed } = bench()
    await feed(
      [
        configMap('alpha', { size: '3' }, { tier: 'front', app: 'a' }),
        configMap('beta', { size: '1' }, { tier: 'back', app: 'a' }),
        configMap('gamma', { size: '2' }, { tier: 'back' }),
        deployment('web', { replicas: 0 }),
        cronTab('tab', { replicas: 2 }),
      ],
      'create',
      '-f',
      '-',
    )
  })

  test('get prints a table, and more of it with -o wide', async () => {
    const { ok } = bench()
    const plain = (await ok('get', 'deployments.apps', 'web')).split('\n')
    expect(plain[0]?.split(/\s{2,}/)).toEqual(['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE'])
    expect(plain[1]).toMatch(/^web\s+0\/0\s+0\s+0\s+\d+s$/)
    const wide = (await ok('get', 'deploy/web', '-o', 'wide')).split('\n')
    expect(wide[0]).toMatch(/CONTAINERS\s+IMAGES\s+SELECTOR/)
    expect(wide[1]).toMatch(/main\s+host\s+app=web$/)
    expect(await ok('get', 'ct', '-o', 'wide')).toMatch(/NAME\s+SPEC\s+REPLICAS\s+AGE\ntab\s+\* \* \* \* 5\s+2\s+\d+s/)
  })

  test('get prints YAML and JSON that equal the stored object', async () => {
    const { ok, stored } = bench()
    const { metadata, ...rest } = await stored('configmaps', 'alpha')
    const { managedFields, ...shown } = metadata
    expect(managedFields).toHaveLength(1)
    expect(JSON.parse(await ok('get', 'cm', 'alpha', '-o', 'json'))).toEqual({ ...rest, metadata: shown })
    expect(JSON.parse(await ok('get', 'cm', 'alpha', '-o', 'json', '--show-managed-fields')).metadata.managedFields).toEqual(managedFields)
    expect(await ok('get', 'cm', 'alpha', '-o', 'yaml')).toContain('data:\n  size: "3"\nkind: ConfigMap\n')
    const list = JSON.parse(await ok('get', 'cm', '-l', 'app=a', '-o', 'json'))
    expect([list.kind, list.items.map((item: { metadata: { name: string } }) => item.metadata.name)]).toEqual(['List', ['alpha', 'beta']])
  })

  test('get prints names, JSONPath, Go templates and columns of one’s own', async () => {
    const { ok } = bench()
    expect(await ok('get', 'cm/alpha', 'deploy/web', 'ct/tab', '-o', 'name')).toBe(
      'configmap/alpha\ndeployment.apps/web\ncrontab.stable.example.com/tab\n',
    )
    expect(await ok('get', 'cm', '-l', 'tier=back', '-o', 'jsonpath={range .items[*]}{.metadata.name}={.data.size};{end}')).toBe(
      'beta=1;gamma=2;',
    )
    expect(await ok('get', 'deploy', 'web', '-o', 'go-template={{.metadata.name}}/{{.spec.replicas}}')).toBe('web/0')
    expect(await ok('get', 'cm', '-l', 'tier', '-o', 'custom-columns=N:.metadata.name,S:.data.size')).toBe(
      'N       S\nalpha   3\nbeta    1\ngamma   2\n',
    )
  })

  test('get selects by label and by field, sorts, shows labels and pages', async () => {
    const { ok } = bench()
    const names = async (...args: string[]): Promise<string[]> =>
      (await ok('get', 'cm', '-o', 'name', ...args))
        .trim()
        .split('\n')
        .map((name) => name.replace('configmap/', ''))
    expect(await names('-l', 'tier=back')).toEqual(['beta', 'gamma'])
    expect(await names('-l', 'tier,tier!=back')).toEqual(['alpha'])
    expect(await names('-l', 'tier in (front,back),!app')).toEqual(['gamma'])
    expect(await names('--field-selector', 'metadata.name=beta')).toEqual(['beta'])
    expect(await names('-l', 'tier', '--field-selector', 'metadata.name!=beta')).toEqual(['alpha', 'gamma'])
    expect(await names('-l', 'tier', '--sort-by', '.data.size')).toEqual(['beta', 'gamma', 'alpha'])
    expect(await names('-l', 'tier', '--chunk-size', '1')).toEqual(['alpha', 'beta', 'gamma'])
    expect(await ok('get', 'cm', '-l', 'tier=front', '--show-labels')).toMatch(/LABELS\nalpha\s+1\s+\d+s\s+app=a,tier=front\n/)
    expect(await ok('get', 'cm', '-l', 'tier=front', '-L', 'tier', '--no-headers')).toMatch(/^alpha\s+1\s+\d+s\s+front\n$/)
    expect(await ok('get', 'ct', '--field-selector', 'spec.cronSpec=* * * * 5', '-o', 'name')).toBe('crontab.stable.example.com/tab\n')
    expect(await ok('get', 'ct', '--field-selector', 'spec.cronSpec=none', '-o', 'name')).toBe('')
  })

  test('get -A and categories reach across namespaces and kinds', async () => {
    const { ok, namespace } = bench()
    expect(await ok('get', 'cm', '-A', '-l', 'tier=front', '-o', 'custom-columns=:.metadata.namespace')).toContain(namespace)
    expect(await ok('get', 'deploy', '-A')).toMatch(new RegExp(`NAMESPACE\\s+NAME[\\s\\S]*${namespace}\\s+web`))
    const all = await ok('get', 'all', '-o', 'name')
    expect(all.trim().split('\n')).toEqual(expect.arrayContaining(['deployment.apps/web', 'crontab.stable.example.com/tab']))
    expect(await ok('get', 'tabs', '-o', 'name')).toContain('crontab.stable.example.com/tab\n')
    const { stderr } = await bench().run(['get', 'jobs'])
    expect(stderr).toBe(`No resources found in ${namespace} namespace.\n`)
  })

  test('get shows the scale and the status of an object', async () => {
    const { ok, atLeast } = bench()
    expect(JSON.parse(await ok('get', 'deploy', 'web', '--subresource=scale', '-o', 'json'))).toMatchObject({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      spec: { replicas: 0 },
      status: { replicas: 0, selector: 'app=web' },
    })
    expect(JSON.parse(await ok('get', 'ct', 'tab', '--subresource=scale', '-o', 'json'))).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 2 },
    })
    expect(await ok('get', 'ct', 'tab', '--subresource=status', '-o', 'name')).toBe('crontab.stable.example.com/tab\n')
    expect(await ok('get', 'deploy', 'web', '--subresource=status')).toMatch(/NAME\s+READY/)
    if (!atLeast(28)) return
    expect(await ok('get', 'deploy', 'web', '--subresource=scale')).toMatch(/NAME\s+DESIRED\s+AVAILABLE\s+AGE\nweb\s+0\s+0\s+\d+s/)
    expect(await ok('get', 'ct', 'tab', '--subresource=scale')).toMatch(/NAME\s+DESIRED\s+AVAILABLE\s+AGE\ntab\s+2\s+0\s+\d+s/)
  })

  test('get -w prints what is there and then each change', async () => {
    const { ok, feed, binary, namespace, cluster } = bench()
    const child = spawn(binary, [
      '--kubeconfig',
      cluster.process.kubeconfig,
      ...[
        '-n',
        namespace,
        'get',
        'cm',
        '-l',
        'watched',
        '-w',
        '--output-watch-events',
        '-o',
        'custom-columns=T:.type,N:.object.metadata.name,D:.object.data.n',
      ],
    ])
    let seen = ''
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk
    })
    try {
      await feed(configMap('w1', { n: '1' }, { watched: '' }), 'create', '-f', '-')
      await eventually(() => expect(seen).toMatch(/ADDED\s+w1\s+1/))
      await ok('patch', 'cm', 'w1', '--type=merge', '-p', '{"data":{"n":"2"}}')
      await eventually(() => expect(seen).toMatch(/MODIFIED\s+w1\s+2/))
      await ok('label', 'cm', 'w1', 'watched-')
      await eventually(() => expect(seen).toMatch(/DELETED\s+w1\s+2/))
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('get --watch-only of a table prints one row for a change', async () => {
    const { feed, binary, namespace, cluster } = bench()
    const child = spawn(binary, ['--kubeconfig', cluster.process.kubeconfig, '-n', namespace, 'get', 'ct', '-l', 'seen', '--watch'])
    let seen = ''
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk
    })
    try {
      const { metadata, ...tab } = cronTab('watched', { cronSpec: '0 * * * *' }) as { metadata: object }
      await feed({ ...tab, metadata: { ...metadata, labels: { seen: '' } } }, 'create', '-f', '-')
      await eventually(() => expect(seen).toMatch(/^NAME\s+SPEC\s+AGE\nwatched\s+0 \* \* \* \*\s+\d+s\n$/))
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('explain documents fields of built-in kinds and of custom resources', async () => {
    const { ok } = bench()
    const image = await ok('explain', 'pod.spec.containers.image')
    expect(image).toMatch(/KIND:\s+Pod\nVERSION:\s+v1\n\nFIELD: image <string>/)
    expect(image).toContain('Container image name.')
    const tree = await ok('explain', 'deployment', '--recursive')
    expect(tree).toMatch(/GROUP:\s+apps\nKIND:\s+Deployment/)
    expect(tree).toMatch(/rollingUpdate\s+<RollingUpdateDeployment>\n\s+maxSurge\s+<IntOrString>/)
    const custom = await ok('explain', 'crontab.spec')
    expect(custom).toMatch(
      /GROUP:\s+stable.example.com\nKIND:\s+CronTab[\s\S]*What shall run\.[\s\S]*cronSpec\s+<string> -required-\n\s+The times\./,
    )
    expect(await ok('explain', 'ct', '--recursive')).toMatch(/parts\s+<\[\]Object>\n\s+name\s+<string> -required-\n\s+value\s+<string>/)
    expect(await ok('explain', 'events', '--api-version=events.k8s.io/v1')).toMatch(/GROUP:\s+events.k8s.io/)
    expect(await bench().refused('explain', 'pod.spec.nothing')).toContain('field "nothing" does not exist')
  })

  test('api-resources and api-versions list what is served', async () => {
    const { ok } = bench()
    const resources = await ok('api-resources')
    expect(resources).toMatch(/^pods\s+po\s+v1\s+true\s+Pod$/m)
    expect(resources).toMatch(/^nodes\s+no\s+v1\s+false\s+Node$/m)
    expect(resources).toMatch(/^crontabs\s+ct\s+stable.example.com\/v1\s+true\s+CronTab$/m)
    expect(await ok('api-resources', '--api-group=apps', '--namespaced', '-o', 'name')).toBe(
      ['controllerrevisions', 'daemonsets', 'deployments', 'replicasets', 'statefulsets'].map((name) => `${name}.apps\n`).join(''),
    )
    expect(await ok('api-resources', '--categories=tabs', '--no-headers', '-o', 'wide')).toMatch(
      /CronTab\s+create,delete,deletecollection,get,list,patch,update,watch\s+all,tabs|CronTab\s+delete,deletecollection,get,list,patch,create,update,watch\s+all,tabs/,
    )
    expect((await ok('api-versions')).trim().split('\n')).toEqual(
      expect.arrayContaining(['v1', 'apps/v1', 'batch/v1', 'policy/v1', 'events.k8s.io/v1', 'stable.example.com/v1']),
    )
  })

  test('version, cluster-info and raw paths answer', async () => {
    const { ok } = bench()
    const version = JSON.parse(await ok('version', '-o', 'json'))
    expect(version.serverVersion).toMatchObject({ major: '1', minor: expect.stringMatching(/^\d+$/) })
    expect(await ok('cluster-info')).toMatch(/Kubernetes control plane.*is running at.*https:\/\/127\.0\.0\.1:\d+/)
    expect(await ok('get', '--raw', '/readyz')).toBe('ok')
    expect(await ok('get', '--raw', '/livez?verbose')).toContain('livez check passed')
    expect(JSON.parse(await ok('get', '--raw', '/version'))).toMatchObject({ major: '1' })
  })
}
