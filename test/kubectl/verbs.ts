import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSigningRequest } from '@continuo/lib-certificates'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'
import { configMap, deployment, idle, pod } from './objects.ts'
import { fetchText } from './running.ts'

/** Verbs that belong to no other group, and those that reach over the whole cluster. */
export function verbCases(bench: () => Bench): void {
  test('auth reconcile makes roles and bindings, and adds what they lack', async () => {
    const { feed, namespace, stored } = bench()
    // kubectl takes the namespace of what it reconciles from the manifest alone.
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' }
    const role = (verbs: readonly string[]) => ({
      ...rbac,
      kind: 'Role',
      metadata: { name: 'kept', namespace },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs }],
    })
    const binding = (name: string) => ({
      ...rbac,
      kind: 'RoleBinding',
      metadata: { name: 'kept', namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'kept' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
    })
    expect(await feed([role(['get']), binding('a')], 'auth', 'reconcile', '-f', '-')).toContain('reconciled')
    await feed([role(['list']), binding('b')], 'auth', 'reconcile', '-f', '-')
    expect(
      (await stored('roles.rbac.authorization.k8s.io', 'kept')).rules.flatMap(({ verbs }: { verbs: string[] }) => verbs).sort(),
    ).toEqual(['get', 'list'])
    expect((await stored('rolebindings.rbac.authorization.k8s.io', 'kept')).subjects.map(({ name }: { name: string }) => name)).toEqual([
      'a',
      'b',
    ])
  })

  test('auth can-i --list tells the rules of somebody else', async () => {
    const { ok, namespace } = bench()
    await ok('create', 'role', 'lister', '--verb=get,list', '--resource=configmaps')
    await ok('create', 'rolebinding', 'lister', '--role=lister', '--user=lin')
    await eventually(async () => expect(await ok('auth', 'can-i', '--list', '--as=lin')).toMatch(/^configmaps +\[\] +\[\] +\[get list\]$/m))
    expect(await ok('get', 'configmaps', '--as=lin', '-o', 'name')).toContain('kube-root-ca.crt')
    expect(await bench().refused('get', 'secrets', '--as=lin')).toBe(
      `Error from server (Forbidden): secrets is forbidden: User "lin" cannot list resource "secrets" in API group "" in the namespace "${namespace}"\n`,
    )
  })

  test('kustomize builds, and apply -k and delete -k use it', async () => {
    const { directory, ok, stored } = bench()
    const base = join(directory, 'base')
    await mkdir(base, { recursive: true })
    await writeFile(join(base, 'map.json'), JSON.stringify(configMap('kustomized', { a: '1' })))
    await writeFile(join(base, 'kustomization.yaml'), 'namePrefix: my-\nlabels: [{ pairs: { by: kustomize } }]\nresources: [map.json]\n')
    expect(await ok('kustomize', base)).toContain('name: my-kustomized')
    expect(await ok('apply', '-k', base)).toBe('configmap/my-kustomized created\n')
    expect((await stored('configmaps', 'my-kustomized')).metadata.labels).toEqual({ by: 'kustomize' })
    expect(await ok('diff', '-k', base)).toBe('')
    await ok('delete', '-k', base)
    expect(await stored('configmaps', 'my-kustomized')).toBeUndefined()
  })

  test('proxy passes requests on', async () => {
    const { binary, cluster, namespace } = bench()
    const child = spawn(binary, ['--kubeconfig', cluster.process.kubeconfig, 'proxy', '--port=0'])
    onTestFinished(() => void child.kill())
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
    })
    const port = await eventually(() => {
      const found = /127\.0\.0\.1:(\d+)/.exec(said)?.[1]
      if (found === undefined) throw new Error(`no port: ${said}`)
      return found
    })
    expect(JSON.parse(await fetchText(`http://127.0.0.1:${port}/api/v1/namespaces/${namespace}`)).metadata.name).toBe(namespace)
  })

  test('cluster-info dump writes what there is of a namespace', async () => {
    const { directory, feed, ok, namespace } = bench()
    await feed(pod('dumped', `echo dumped; ${idle}`), 'create', '-f', '-')
    await ok('wait', '--for=condition=Ready', 'pod/dumped', '--timeout=40s')
    const into = join(directory, 'dump')
    await ok('cluster-info', 'dump', `--namespaces=${namespace}`, `--output-directory=${into}`)
    expect(await readdir(join(into, namespace))).toEqual(expect.arrayContaining(['pods.json', 'events.json', 'deployments.json', 'dumped']))
    expect(await readFile(join(into, namespace, 'dumped', 'logs.txt'), 'utf8')).toContain('dumped')
    await ok('delete', 'pod', 'dumped')
  })

  test('debug copies a pod, and makes one for a node', async () => {
    const { feed, ok, stored } = bench()
    await feed(pod('solo', idle, { labels: { app: 'solo' } }), 'create', '-f', '-')
    await ok('wait', '--for=condition=Ready', 'pod/solo', '--timeout=40s')
    await ok('debug', 'pod/solo', '--copy-to=copy', '--image=host', '-c', 'looker', '--quiet', '--', 'sleep', '100')
    const copy = await stored('pods', 'copy')
    expect(copy.spec.containers.map(({ name }: { name: string }) => name).sort()).toEqual(['looker', 'main'])
    expect(copy.metadata.labels).toBeUndefined()
    const { nodeName } = (await stored('pods', 'solo')).spec
    const told = await ok('debug', `node/${nodeName}`, '--image=host', '--', 'sleep', '100')
    const name = /pod (\S+) with container/.exec(told)?.[1] ?? ''
    expect((await stored('pods', name)).spec).toMatchObject({ nodeName, hostNetwork: true, hostPID: true, restartPolicy: 'Never' })
    await ok('delete', 'pod', 'solo', 'copy', name, '--now')
  })

  test('certificate approve and deny decide a request once', async () => {
    const { feed, ok, refused, version } = bench()
    const { request: certificateRequest } = await createSigningRequest({ commonName: 'proof' })
    const request = (name: string) => ({
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec: { request: Buffer.from(certificateRequest).toString('base64'), signerName: 'example.com/none', usages: ['client auth'] },
    })
    const [yes, no] = [`yes-${version}`, `no-${version}`]
    const fed = await feed([request(yes), request(no)], 'create', '-f', '-').catch((error: Error) => error.message)
    expect(fed).toContain('created')
    expect(await ok('certificate', 'approve', yes)).toBe(`certificatesigningrequest.certificates.k8s.io/${yes} approved\n`)
    expect(await ok('certificate', 'deny', no)).toBe(`certificatesigningrequest.certificates.k8s.io/${no} denied\n`)
    expect(await ok('get', 'csr', yes, no, '--no-headers')).toMatch(/Approved[\s\S]*Denied/)
    expect(await refused('certificate', 'deny', yes)).toContain('is already Approved')
    await ok('delete', 'csr', yes, no)
  })

  test('wait for creation, for a value and for deletion', async () => {
    const { atLeast, ok, stored } = bench()
    if (atLeast(31)) {
      const waiting = ok('wait', '--for=create', 'cm/late', '--timeout=20s')
      await ok('create', 'cm', 'late')
      expect(await waiting).toBe('configmap/late condition met\n')
    } else await ok('create', 'cm', 'late')
    const value = ok('wait', '--for=jsonpath={.data.now}=yes', 'cm/late', '--timeout=20s')
    await ok('patch', 'cm', 'late', '--type=merge', '-p', '{"data":{"now":"yes"}}')
    expect(await value).toBe('configmap/late condition met\n')
    const gone = ok('wait', '--for=delete', 'cm/late', '--timeout=20s')
    await ok('delete', 'cm', 'late')
    await gone
    expect(await stored('configmaps', 'late')).toBeUndefined()
  })

  test('explain from OpenAPI v2, and names that many kinds share', async () => {
    const { atLeast, ok } = bench()
    if (!atLeast(29)) return
    expect(await ok('explain', 'deployment.spec.replicas', '--output=plaintext-openapiv2')).toMatch(/KIND: +Deployment\nVERSION: +apps\/v1/)
    expect(await ok('explain', 'hpa', '--api-version=autoscaling/v1')).toContain('VERSION:    v1')
    expect(await ok('api-resources', '-o', 'wide')).toMatch(
      /^deployments +deploy +apps\/v1 +true +Deployment +create,delete,deletecollection,get,list,patch,update,watch +all$/m,
    )
  })

  test('events of one object, as they come', async () => {
    const { feed, ok, run } = bench()
    const watching = run(['events', '--for', 'deployment/seen', '--watch', '--request-timeout=6s'])
    await feed(deployment('seen'), 'create', '-f', '-')
    expect((await watching).stdout).toMatch(/ScalingReplicaSet +Deployment\/seen/)
    await ok('delete', 'deployment', 'seen')
  })
}
