import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { configMap, deployment } from './objects.ts'

/** `create` from files and by every generator, with what is stored afterwards. */
export function creatingCases(bench: () => Bench): void {
  test('create -f makes every object of a file, and says which are there already', async () => {
    const { ok, refused, stored, directory } = bench()
    const file = join(directory, 'two.json')
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [configMap('f1', { a: '1' }), configMap('f2')] }))
    expect(await ok('create', '-f', file)).toBe('configmap/f1 created\nconfigmap/f2 created\n')
    expect((await stored('configmaps', 'f1')).data).toEqual({ a: '1' })
    const again = await refused('create', '-f', file)
    expect(again).toContain('Error from server (AlreadyExists)')
    expect(again).toContain('configmaps "f2" already exists')
  })

  test('create with generateName adds five characters', async () => {
    const { feed, stored } = bench()
    const said = await feed({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'gen-' } }, 'create', '-f', '-')
    const name = /^configmap\/(gen-[a-z0-9]{5}) created\n$/.exec(said)?.[1]
    expect(await stored('configmaps', name ?? '')).toBeDefined()
  })

  test('create --dry-run=server answers with the defaulted object and stores nothing', async () => {
    const { feed, stored } = bench()
    const answer = JSON.parse(await feed(deployment('dry'), 'create', '-f', '-', '--dry-run=server', '-o', 'json'))
    expect(answer.spec).toMatchObject({ revisionHistoryLimit: 10, strategy: { type: 'RollingUpdate' } })
    expect(answer.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(await stored('deployments.apps', 'dry')).toBeUndefined()
    await bench().ok('create', 'deployment', 'dry', '--image=host', '--dry-run=client', '-o', 'yaml')
    expect(await stored('deployments.apps', 'dry')).toBeUndefined()
  })

  test('create deployment', async () => {
    const { ok, stored } = bench()
    expect(await ok('create', 'deployment', 'gen', '--image=host', '--replicas=0', '--port=80', '--', 'sleep', '9')).toBe(
      'deployment.apps/gen created\n',
    )
    expect((await stored('deployments.apps', 'gen')).spec).toMatchObject({
      replicas: 0,
      selector: { matchLabels: { app: 'gen' } },
      template: {
        spec: { containers: [{ name: 'host', image: 'host', command: ['sleep', '9'], ports: [{ containerPort: 80, protocol: 'TCP' }] }] },
      },
    })
  })

  test('create service of all four types', async () => {
    const { ok, stored } = bench()
    await ok('create', 'service', 'clusterip', 's1', '--tcp=5678:8080')
    await ok('create', 'service', 'nodeport', 's2', '--tcp=80')
    await ok('create', 'service', 'loadbalancer', 's3', '--tcp=80')
    await ok('create', 'service', 'externalname', 's4', '--external-name=example.com')
    await ok('create', 'service', 'clusterip', 's5', '--clusterip=None')
    const one = await stored('services', 's1')
    expect(one.spec).toMatchObject({
      type: 'ClusterIP',
      clusterIP: expect.stringMatching(/^127\./),
      ports: [{ name: '5678-8080', port: 5678, targetPort: 8080, protocol: 'TCP' }],
      selector: { app: 's1' },
    })
    expect(one.spec.clusterIPs).toEqual([one.spec.clusterIP])
    expect((await stored('services', 's2')).spec.ports[0].nodePort).toBeGreaterThanOrEqual(30000)
    expect((await stored('services', 's3')).spec.type).toBe('LoadBalancer')
    expect((await stored('services', 's4')).spec).toMatchObject({ type: 'ExternalName', externalName: 'example.com' })
    expect((await stored('services', 's5')).spec.clusterIP).toBe('None')
  })

  test('a generated service whose port name has no letter gets its endpoints', async () => {
    const { feed, ok, stored } = bench()
    await feed(deployment('ports'), 'create', '-f', '-')
    await ok('create', 'service', 'clusterip', 'ports', '--tcp=80:8080')
    await eventually(async () =>
      expect((await stored('endpoints', 'ports'))?.subsets?.[0]?.ports).toEqual([{ name: '80-8080', port: 8080, protocol: 'TCP' }]),
    )
    await eventually(async () =>
      expect(
        await ok(
          'get',
          'endpointslices',
          '-l',
          'kubernetes.io/service-name=ports',
          '-o',
          'jsonpath={.items[0].endpoints[0].conditions.ready}',
        ),
      ).toBe('true'),
    )
  })

  test('create configmap from literals, files and directories', async () => {
    const { ok, stored, directory } = bench()
    await writeFile(join(directory, 'settings.txt'), 'quick\n')
    await writeFile(join(directory, 'bytes.bin'), Buffer.from([0xff, 0x00]))
    await ok('create', 'configmap', 'lit', '--from-literal=a=b', `--from-file=s=${join(directory, 'settings.txt')}`)
    await ok('create', 'configmap', 'bin', `--from-file=${join(directory, 'bytes.bin')}`)
    expect((await stored('configmaps', 'lit')).data).toEqual({ a: 'b', s: 'quick\n' })
    expect((await stored('configmaps', 'bin')).binaryData).toEqual({ 'bytes.bin': '/wA=' })
  })

  test('create secret generic, docker-registry and tls', async () => {
    const { ok, stored, directory } = bench()
    await ok('create', 'secret', 'generic', 'g', '--from-literal=a=b')
    await ok('create', 'secret', 'docker-registry', 'd', '--docker-server=r.example.com', '--docker-username=u', '--docker-password=p')
    expect(await stored('secrets', 'g')).toMatchObject({ type: 'Opaque', data: { a: 'Yg==' } })
    const docker = await stored('secrets', 'd')
    expect(docker.type).toBe('kubernetes.io/dockerconfigjson')
    expect(JSON.parse(Buffer.from(docker.data['.dockerconfigjson'], 'base64').toString())).toMatchObject({
      auths: { 'r.example.com': { username: 'u' } },
    })
    await writeFile(join(directory, 'x.pem'), 'not a certificate')
    expect(await bench().refused('create', 'secret', 'tls', 't', `--cert=${directory}/x.pem`, `--key=${directory}/x.pem`)).toContain(
      'failed to',
    )
  })

  test('create namespace, serviceaccount and quota', async () => {
    const { ok, stored, namespace } = bench()
    const name = `${namespace}-more`
    expect(await ok('create', 'ns', name)).toBe(`namespace/${name} created\n`)
    expect((await stored('namespaces', name)).metadata.labels).toEqual({ 'kubernetes.io/metadata.name': name })
    await eventually(async () =>
      expect(await ok('get', 'sa', 'default', '--namespace', name, '-o', 'name')).toBe('serviceaccount/default\n'),
    )
    await eventually(async () =>
      expect(await ok('get', 'cm', 'kube-root-ca.crt', '--namespace', name, '-o', 'name')).toContain('kube-root-ca'),
    )
    await ok('create', 'serviceaccount', 'robot')
    expect((await stored('serviceaccounts', 'robot')).metadata.name).toBe('robot')
    await ok('create', 'quota', 'q', '--hard=pods=50,requests.cpu=1k', '--scopes=NotTerminating')
    expect((await stored('resourcequotas', 'q')).spec).toEqual({
      hard: { pods: '50', 'requests.cpu': '1k' },
      scopes: ['NotTerminating'],
    })
    await ok('delete', 'quota', 'q')
  })

  test('create job and cronjob, and a job from the cronjob', async () => {
    const { ok, stored } = bench()
    await ok('create', 'cronjob', 'c', '--image=host', '--schedule=*/5 * * * *', '--', 'true')
    await ok('create', 'job', 'j', '--image=host', '--', 'true')
    await ok('create', 'job', 'from', '--from=cronjob/c')
    expect((await stored('cronjobs.batch', 'c')).spec).toMatchObject({
      schedule: '*/5 * * * *',
      concurrencyPolicy: 'Allow',
      suspend: false,
    })
    const job = await stored('jobs.batch', 'j')
    expect(job.spec).toMatchObject({ backoffLimit: 6, completions: 1, parallelism: 1, template: { spec: { restartPolicy: 'Never' } } })
    expect(job.spec.template.metadata.labels['batch.kubernetes.io/controller-uid']).toBe(job.metadata.uid)
    const from = await stored('jobs.batch', 'from')
    expect(from.metadata.annotations).toEqual({ 'cronjob.kubernetes.io/instantiate': 'manual' })
    expect(from.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'CronJob', name: 'c' })
  })

  test('create roles and their bindings', async () => {
    const { ok, stored, namespace } = bench()
    await ok('create', 'role', 'reader', '--verb=get,list', '--resource=pods,deployments.apps', '--resource-name=web')
    await ok('create', 'rolebinding', 'readers', '--role=reader', '--user=jane', '--serviceaccount=kube-system:robot')
    await ok('create', 'clusterrole', namespace, '--verb=get', '--non-resource-url=/metrics')
    await ok('create', 'clusterrolebinding', namespace, `--clusterrole=${namespace}`, '--group=g')
    expect((await stored('roles.rbac.authorization.k8s.io', 'reader')).rules).toEqual([
      { apiGroups: [''], resources: ['pods'], resourceNames: ['web'], verbs: ['get', 'list'] },
      { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['web'], verbs: ['get', 'list'] },
    ])
    expect((await stored('rolebindings.rbac.authorization.k8s.io', 'readers')).subjects).toEqual([
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' },
      { kind: 'ServiceAccount', name: 'robot', namespace: 'kube-system' },
    ])
    expect((await stored('clusterroles.rbac.authorization.k8s.io', namespace)).rules).toEqual([
      { nonResourceURLs: ['/metrics'], verbs: ['get'] },
    ])
    expect((await stored('clusterrolebindings.rbac.authorization.k8s.io', namespace)).roleRef).toEqual({
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: namespace,
    })
  })

  test('create pdb, priorityclass and ingress', async () => {
    const { ok, stored, namespace } = bench()
    await ok('create', 'pdb', 'budget', '--selector=app=none', '--min-available=50%')
    await ok('create', 'priorityclass', namespace, '--value=7', '--description=d')
    await ok('create', 'ingress', 'in', '--rule=a.example.com/p*=s1:80,tls=cert')
    expect((await stored('poddisruptionbudgets.policy', 'budget')).spec).toEqual({
      minAvailable: '50%',
      selector: { matchLabels: { app: 'none' } },
    })
    expect(await stored('priorityclasses.scheduling.k8s.io', namespace)).toMatchObject({
      value: 7,
      description: 'd',
      preemptionPolicy: 'PreemptLowerPriority',
    })
    expect((await stored('ingresses.networking.k8s.io', 'in')).spec).toEqual({
      rules: [
        {
          host: 'a.example.com',
          http: { paths: [{ backend: { service: { name: 's1', port: { number: 80 } } }, path: '/p', pathType: 'Prefix' }] },
        },
      ],
      tls: [{ hosts: ['a.example.com'], secretName: 'cert' }],
    })
  })
}
