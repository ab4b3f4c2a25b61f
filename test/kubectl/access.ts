import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Bench } from './cluster.ts'

/** Who may do what, as kubectl and programs in pods see it. */
export function accessCases(bench: () => Bench): void {
  test('top says that there are no metrics', async () => {
    expect(await bench().refused('top', 'nodes')).toBe('error: Metrics API not available\n')
    expect(await bench().refused('top', 'pods')).toBe('error: Metrics API not available\n')
  })

  test('auth whoami tells who asks', async () => {
    const args = ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}']
    if (bench().atLeast(28)) expect(await bench().ok(...args)).toBe('continuo-admin')
    // It asks for the beta, which Kubernetes 1.36 does not serve either.
    else expect(await bench().refused(...args)).toContain('the selfsubjectreviews API is not enabled in the cluster')
  })

  test('auth can-i answers for the administrator and for others', async () => {
    expect(await bench().ok('auth', 'can-i', 'delete', 'nodes')).toBe('yes\n')
    expect((await bench().run(['auth', 'can-i', 'get', 'pods', '--as', 'eve'])).stdout).toBe('no\n')
  })

  test('create token gives one that is good for what its account may', async () => {
    const { ok, run } = bench()
    await ok('create', 'serviceaccount', 'robot')
    const token = await ok('create', 'token', 'robot')
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    // The kubeconfig's certificate would win over the token.
    const [server, authority] = (
      await ok(
        'config',
        'view',
        '--minify',
        '--raw',
        '-o',
        'jsonpath={.clusters[0].cluster.server} {.clusters[0].cluster.certificate-authority-data}',
      )
    ).split(' ') as [string, string]
    const file = join(bench().directory, 'robot.json')
    const cluster = { server, 'certificate-authority-data': authority }
    await writeFile(
      file,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
        clusters: [{ name: 'c', cluster }],
        users: [{ name: 'c', user: { token } }],
      }),
    )
    const asRobot = (...args: string[]) => run(['--kubeconfig', file, ...args])
    expect((await asRobot('get', 'configmaps')).stderr).toContain(
      `User "system:serviceaccount:${bench().namespace}:robot" cannot list resource "configmaps" in API group "" in the namespace "${bench().namespace}"`,
    )
    await ok('create', 'rolebinding', 'robot', '--clusterrole=view', `--serviceaccount=${bench().namespace}:robot`)
    await eventually(async () => expect((await asRobot('get', 'configmaps')).stdout).toContain('kube-root-ca.crt'))
  })

  test('a program in a pod finds the API and its token where Kubernetes has them', async () => {
    const { ok, feed, namespace } = bench()
    await ok('create', 'rolebinding', 'default', '--clusterrole=view', `--serviceaccount=${namespace}:default`)
    const place = '/var/run/secrets/kubernetes.io/serviceaccount'
    const script = `
      const { existsSync, readFileSync } = require('node:fs')
      const mounted = existsSync('${place}/token') ? '${place}' : process.env.CONTINUO_ROOT + '${place}'
      const read = (name) => readFileSync(mounted + '/' + name, 'utf8')
      const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
      const path = '/api/v1/namespaces/' + read('namespace') + '/configmaps/kube-root-ca.crt'
      const options = { host, port, path, ca: read('ca.crt'), headers: { authorization: 'Bearer ' + read('token') } }
      require('node:https').get(options, (response) => {
        let text = ''
        response.on('data', (data) => (text += data))
        response.on('end', () => console.log(response.statusCode, JSON.parse(text).data?.['ca.crt'] === read('ca.crt'), mounted === '${place}' || 'linked'))
      })`
    const containers = [{ name: 'c', image: 'continuo/host', command: [process.execPath, '-e', script] }]
    await feed(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'client' }, spec: { restartPolicy: 'Never', containers } },
      'create',
      '-f',
      '-',
    )
    await eventually(async () => expect(await ok('get', 'pod', 'client', '-o', 'jsonpath={.status.phase}')).toBe('Succeeded'), 30_000)
    expect(await ok('logs', 'client')).toMatch(/^200 true (true|linked)\n$/)
  })
}
