import { Resolver } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, openApi } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'

/** Whether the service proxy may listen on port 53, on which pods ask. */
const hasPort53 = process.getuid?.() === 0 || Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) <= 53

const namespace = '/api/v1/namespaces/default'
const server = "require('node:http').createServer((q, s) => s.end('hello')).listen(8080, process.env.POD_IP)"

let data: Awaited<ReturnType<typeof dataDirectory>>
let cluster: ClusterProcess
let api: Api
const resolver = new Resolver({ timeout: 2_000, tries: 1 })
resolver.setServers(['127.0.0.1:1053'])

const pod = (name: string, spec: object, container: object) =>
  api.ok('POST', `${namespace}/pods`, {
    body: {
      metadata: { name, labels: { app: name } },
      spec: { terminationGracePeriodSeconds: 0, ...spec, containers: [{ name: 'main', image: 'host', ...container }] },
    },
  })
const service = (name: string, spec: object) => api.ok('POST', `${namespace}/services`, { body: { metadata: { name }, spec } })

beforeAll(async () => {
  data = await dataDirectory('dns')
  cluster = await startProcess({
    dataDir: data.path,
    config: fileURLToPath(new URL('../../examples/compositions/dns.yaml', import.meta.url)),
  })
  api = await openApi(cluster.kubeconfig)
  await pod('web', { hostname: 'web-0', subdomain: 'db' }, { command: ['node', '-e', server] })
  await service('web', { selector: { app: 'web' }, ports: [{ name: 'http', port: 8080 }] })
  await service('db', { clusterIP: 'None', selector: { app: 'web' }, ports: [{ name: 'sql', port: 8080 }] })
  await eventually(async () => expect(await resolver.resolve4('web-0.db.default.svc.cluster.local')).toHaveLength(1), 60_000)
})
afterAll(async () => {
  api?.[Symbol.dispose]()
  expect(await cluster?.interrupt()).toBe(0)
  await data.remove()
})

/** What a pod that ran to its end has written. */
async function said(name: string): Promise<string> {
  await eventually(
    async () => expect((await api.ok('GET', `${namespace}/pods/${name}`)).body).toMatchObject({ status: { phase: 'Succeeded' } }),
    30_000,
  )
  return (await api.ok('GET', `${namespace}/pods/${name}/log`)).text
}

describe('a cluster with a name server', () => {
  it('answers for services, endpoints and itself', async () => {
    const { spec } = (await api.ok('GET', `${namespace}/services/web`)).body
    expect(await resolver.resolve4('web.default.svc.cluster.local')).toEqual([spec.clusterIP])
    expect(await resolver.reverse(spec.clusterIP)).toEqual(['web.default.svc.cluster.local'])
    expect(await resolver.resolveSrv('_sql._tcp.db.default.svc.cluster.local')).toMatchObject([
      { name: 'web-0.db.default.svc.cluster.local', port: 8080 },
    ])
    expect(await resolver.resolve4('kube-dns.kube-system.svc.cluster.local')).toEqual(['127.96.0.10'])
  })

  it('follows what changes', async () => {
    await service('late', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' })
    await eventually(async () => expect(await resolver.resolve4('late.default.svc.cluster.local')).toHaveLength(1))
    await api.ok('DELETE', `${namespace}/services/late`)
    await eventually(() => expect(resolver.resolve4('late.default.svc.cluster.local')).rejects.toMatchObject({ code: 'ENOTFOUND' }))
  })

  it('gives its service back when somebody deletes it', async () => {
    await api.ok('DELETE', '/api/v1/namespaces/kube-system/services/kube-dns')
    await eventually(async () =>
      expect((await api.ok('GET', '/api/v1/namespaces/kube-system/services/kube-dns')).body).toMatchObject({
        spec: { clusterIP: '127.96.0.10' },
      }),
    )
  })

  it.skipIf(!hasPort53)('lets programs in pods find services by their short names', async () => {
    const script =
      'cat /etc/resolv.conf; node -e "fetch(\'http://web:8080\').then((r) => r.text()).then(console.log)"; getent hosts web-0.db'
    await pod('ask', { restartPolicy: 'Never' }, { command: ['sh', '-c', script] })
    const [search, nameserver, options, answer, host] = (await said('ask')).split('\n')
    expect(search).toMatch(/^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/)
    expect([nameserver, options, answer]).toEqual(['nameserver 127.96.0.10', 'options ndots:5', 'hello'])
    expect(host).toContain('web-0.db.default.svc.cluster.local')
  })

  it('leaves pods alone that resolve as the machine does', async () => {
    await pod('plain', { restartPolicy: 'Never', dnsPolicy: 'Default' }, { command: ['cat', '/etc/resolv.conf'] })
    expect(await said('plain')).toBe(readFileSync('/etc/resolv.conf', 'utf8'))
  })
})
