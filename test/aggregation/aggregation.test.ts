import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, openApi } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'
import { kubectlMissing, runKubectl } from '../support/kubectl.ts'
import { startExtensionServer } from './extension-server.ts'

const config = `
version: 1
extends: continuo/config/reference.yaml
plugins:
  dialer: { use: "@continuo/plugin-node#clusterDialer", with: { allowLoopback: true } }
  aggregation: { use: "@continuo/plugin-aggregation", with: { checkSeconds: 0.5 } }
`
const services = '/apis/apiregistration.k8s.io/v1/apiservices'
const flunders = '/apis/ext.example.com/v1/namespaces/default/flunders'

let data: Awaited<ReturnType<typeof dataDirectory>>
let cluster: ClusterProcess
let api: Api
let extension: Awaited<ReturnType<typeof startExtensionServer>>
let clientAuthority: string

const condition = async (name = 'v1.ext.example.com') =>
  (await api.ok('GET', `${services}/${name}`)).body.status?.conditions?.find((one: { type: string }) => one.type === 'Available')
const available = (status: string, reason: string, name?: string): Promise<void> =>
  eventually(async () => expect(await condition(name)).toMatchObject({ status, reason }), 15_000)
const register = (spec: object, name = 'v1.ext.example.com') =>
  api.apply(services, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name },
    spec: { group: 'ext.example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15, ...spec },
  } as never)
const reference = (port: number) => ({ service: { namespace: 'ext', name: 'flunders', port } })

beforeAll(async () => {
  data = await dataDirectory('aggregation')
  const file = join(data.path, 'continuo.yaml')
  await writeFile(file, config)
  cluster = await startProcess({ dataDir: data.path, config: file })
  api = await openApi(cluster.kubeconfig)
  const published = await eventually(() => api.ok('GET', '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'))
  clientAuthority = published.body.data['requestheader-client-ca-file']
  extension = await startExtensionServer(clientAuthority)
  await api.ok('POST', '/api/v1/namespaces', { body: { metadata: { name: 'ext' } } })
  await api.ok('POST', '/api/v1/namespaces/ext/services', {
    body: { metadata: { name: 'flunders' }, spec: { type: 'ExternalName', externalName: 'localhost' } },
  })
  await register({ ...reference(extension.port), caBundle: extension.caBundle })
  await available('True', 'Passed')
})
afterAll(async () => {
  api?.[Symbol.dispose]()
  await extension?.stop()
  await cluster?.interrupt()
  await data.remove()
})

describe('the aggregation layer', () => {
  it('registers every group version of its own as Local, and those of custom resources as they come and go', async () => {
    const names = async (): Promise<string[]> =>
      (await api.ok('GET', services)).body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)
    expect(await names()).toEqual(expect.arrayContaining(['v1.', 'v1.apps', 'v1.batch', 'v2.autoscaling', 'v1.rbac.authorization.k8s.io']))
    expect(await names()).not.toContain('v1.apiregistration.k8s.io')
    expect(await condition('v1.apps')).toMatchObject({ status: 'True', reason: 'Local', message: 'Local APIServices are always available' })
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.custom.example.com' },
      spec: {
        group: 'custom.example.com',
        scope: 'Namespaced',
        names: { plural: 'things', kind: 'Thing' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    }
    await api.ok('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: crd })
    await eventually(async () => expect(await names()).toContain('v1.custom.example.com'))
    await api.ok('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.custom.example.com')
    await eventually(async () => expect(await names()).not.toContain('v1.custom.example.com'))
    // One that somebody deletes comes back.
    await api.ok('DELETE', `${services}/v1.apps`)
    await eventually(async () => expect(await names()).toContain('v1.apps'))
  })

  it('sends requests on with the identity of their caller, under its own certificate and without any credential', async () => {
    const answer = await api.ok('GET', `${flunders}/one?pretty=no&x=%2F`, {
      headers: {
        'impersonate-user': 'continuo-admin',
        'impersonate-group': 'system:masters',
        'impersonate-extra-scopes%2fx': 'all',
        authorization: 'Bearer secret',
        'x-remote-user': 'root',
        'x-remote-extra-evil': 'yes',
      },
    })
    expect(answer.body).toMatchObject({ kind: 'Flunder', metadata: { name: 'one' } })
    const seen = extension.seen.findLast(({ url }) => url.startsWith(`${flunders}/one`))
    expect(seen?.client).toBe('front-proxy-client')
    expect(seen?.url).toBe(`${flunders}/one?pretty=no&x=%2F`)
    expect(seen?.headers['x-remote-user']).toBe('continuo-admin')
    expect(seen?.headers['x-remote-group']).toContain('system:masters')
    expect(seen?.headers['x-remote-extra-scopes%2fx']).toBe('all')
    for (const name of ['authorization', 'impersonate-user', 'impersonate-group', 'x-remote-extra-evil'])
      expect(seen?.headers).not.toHaveProperty(name)
  })

  it('asks its own authorisation first', async () => {
    const before = extension.seen.length
    const answer = await api.send('GET', flunders, { headers: { 'impersonate-user': 'nobody-special' } })
    expect([answer.status, answer.body.reason]).toEqual([403, 'Forbidden'])
    expect(extension.seen.slice(before).filter(({ url }) => url.startsWith(flunders))).toEqual([])
  })

  it('passes answers on as they are, errors among them, and refuses redirects', async () => {
    const absent = await api.send('GET', `${flunders}/x`)
    expect([absent.status, absent.body.message]).toEqual([404, 'flunders "x" not found'])
    const away = await api.send('GET', `${flunders}/away`)
    expect([away.status, away.headers.location]).toEqual([502, undefined])
  })

  it('streams watches', async () => {
    const events: string[] = []
    for await (const { object } of await api.watch(`${flunders}?watch=true`)) events.push(object.metadata.name)
    expect(events).toEqual(['one', 'two'])
  })

  it('carries upgrades', async () => {
    const text = await import('node:fs/promises').then(({ readFile }) => readFile(cluster.kubeconfig, 'utf8'))
    const pem = (name: string) => Buffer.from(new RegExp(`${name}: "?([^"\\s]+)"?`).exec(text)?.[1] ?? '', 'base64')
    const { hostname, port } = new URL(api.server)
    const socket = connect({
      host: hostname,
      port: Number(port),
      ca: pem('certificate-authority-data'),
      cert: pem('client-certificate-data'),
      key: pem('client-key-data'),
      ALPNProtocols: ['http/1.1'],
    })
    const said = await new Promise<string>((resolve, reject) => {
      let all = ''
      socket.on('error', reject)
      socket.on('data', (chunk) => {
        all += chunk
        if (all.endsWith('\r\n\r\n')) socket.write('hello')
        if (all.includes('echo hello')) resolve(all)
      })
      socket.write(`GET ${flunders}/one/shell HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    })
    socket.destroy()
    expect(said).toMatch(/^HTTP\/1.1 101/)
  })

  it('publishes what the other server serves: in discovery of both forms and in OpenAPI of both versions', async () => {
    const aggregated = await api.ok('GET', '/apis', {
      headers: { accept: 'application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList' },
    })
    const group = aggregated.body.items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === 'ext.example.com')
    expect(group.versions).toMatchObject([
      {
        version: 'v1',
        freshness: 'Current',
        resources: [{ resource: 'flunders', shortNames: ['fl'], subresources: [{ subresource: 'shell' }] }],
      },
    ])
    expect((await api.ok('GET', '/apis')).body.groups.map(({ name }: { name: string }) => name)).toContain('ext.example.com')
    expect((await api.ok('GET', '/apis/ext.example.com')).body.preferredVersion.version).toBe('v1')
    expect((await api.ok('GET', '/apis/ext.example.com/v1')).body.resources).toHaveLength(2)
    const v2 = (await api.ok('GET', '/openapi/v2')).body
    expect(v2.definitions).toHaveProperty(['com.example.ext.v1.Flunder'])
    expect(v2.paths).toHaveProperty(['/apis/ext.example.com/v1/flunders'])
    // Only of its own group version.
    expect(v2.paths['/apis/apps/v1/deployments']?.get).not.toHaveProperty('x-stolen')
    const { paths } = (await api.ok('GET', '/openapi/v3')).body
    expect((await api.ok('GET', paths['apis/ext.example.com/v1'].serverRelativeURL)).body.components.schemas).toHaveProperty([
      'com.example.ext.v1.Flunder',
    ])
  })

  it.skipIf(kubectlMissing)('is seen by kubectl', async () => {
    const kubectl = (...args: string[]) => runKubectl(cluster.kubeconfig, args, { env: { HOME: data.path } })
    expect((await kubectl('get', 'apiservices', 'v1.ext.example.com', 'v1.apps', '--no-headers')).stdout.replaceAll(/ +/g, ' ')).toMatch(
      /^v1.ext.example.com ext\/flunders True \S+\nv1.apps Local True/,
    )
    expect((await kubectl('api-resources', '--api-group=ext.example.com', '--no-headers')).stdout.replaceAll(/ +/g, ' ')).toBe(
      'flunders fl ext.example.com/v1 true Flunder\n',
    )
    expect((await kubectl('get', 'fl', '-o', 'name')).stdout).toBe('flunder.ext.example.com/one\n')
  })

  it('tells why a server is not available: no service, another port, a certificate that nobody vouched for', async () => {
    const other = async (spec: object, reason: string, message: RegExp): Promise<void> => {
      await register({ group: 'other.example.com', ...spec }, 'v1.other.example.com')
      await available('False', reason, 'v1.other.example.com')
      expect((await condition('v1.other.example.com')).message).toMatch(message)
    }
    await other({ service: { namespace: 'ext', name: 'absent' } }, 'ServiceNotFound', /^service\/absent in "ext" is not present$/)
    await api.ok('POST', '/api/v1/namespaces/ext/services', { body: { metadata: { name: 'empty' }, spec: { ports: [{ port: 80 }] } } })
    await other(
      { service: { namespace: 'ext', name: 'empty' } },
      'ServicePortError',
      /^service\/empty in "ext" is not listening on port 443$/,
    )
    await other(
      { service: { namespace: 'ext', name: 'empty', port: 80 } },
      'EndpointsNotFound',
      /^cannot find endpointslices for service\/empty in "ext"$/,
    )
    await other(
      reference(extension.port),
      'FailedDiscoveryCheck',
      /^failing or missing response from https:\/\/flunders.ext.svc\/apis\/other.example.com\/v1/,
    )
    const refused = await api.send('GET', '/apis/other.example.com/v1/namespaces/default/x')
    expect([refused.status, refused.body.reason, refused.body.message]).toEqual([503, 'ServiceUnavailable', 'service unavailable'])
    await api.ok('DELETE', `${services}/v1.other.example.com`)
    await eventually(async () => expect((await api.send('GET', '/apis/other.example.com/v1')).status).toBe(404))
  })

  it('answers 503 while the server is down, goes on telling what it served, and finds it again', async () => {
    await extension.stop()
    await available('False', 'FailedDiscoveryCheck')
    const down = await api.send('GET', flunders)
    expect([down.status, down.body.message]).toEqual([503, 'service unavailable'])
    const aggregated = await api.ok('GET', '/apis', {
      headers: { accept: 'application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList' },
    })
    const group = aggregated.body.items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === 'ext.example.com')
    expect(group.versions[0]).toMatchObject({ freshness: 'Stale', resources: [{ resource: 'flunders' }] })
    if (kubectlMissing === undefined) {
      const listed = await runKubectl(cluster.kubeconfig, ['api-resources'], { env: { HOME: data.path } })
      expect(listed.stdout).toMatch(/^deployments /m)
      // What is stale is passed over by kubectl without a word.
      expect(listed.stdout).not.toContain('flunders')
      // And whoever asks for something else notices nothing.
      expect((await runKubectl(cluster.kubeconfig, ['get', 'namespaces', '-o', 'name'], { env: { HOME: data.path } })).code).toBe(0)
    }
    extension = await startExtensionServer(clientAuthority, extension)
    await available('True', 'Passed')
    expect((await api.send('GET', flunders)).status).toBe(200)
  })
})
