import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, openApi } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'

/** Tells what it was asked, redirects, and speaks a protocol of its own after an upgrade; over TLS with a certificate of its own, too. */
const program = `
const http = require('node:http')
const https = require('node:https')
const { execFileSync } = require('node:child_process')
const { readFileSync } = require('node:fs')
const answer = (secure) => (q, s) => {
  if (q.url === '/away') return s.writeHead(302, { location: '/there?x=1' }).end()
  if (q.url === '/elsewhere') return s.writeHead(302, { location: 'http://example.com/x' }).end()
  if (q.url === '/gone') return s.writeHead(418, { 'x-tea': 'yes' }).end('teapot')
  let body = ''
  q.on('data', (chunk) => (body += chunk)).on('end', () => s.setHeader('x-seen', '1').end(JSON.stringify({ pod: process.env.HOSTNAME, secure, method: q.method, url: q.url, headers: q.headers, body })))
}
const upgrade = (q, socket) => {
  if (q.headers.upgrade !== 'websocket' || q.url === '/refuse') return socket.end('HTTP/1.1 426 Upgrade Required\\r\\ncontent-length: 4\\r\\n\\r\\nnope')
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n')
  socket.on('data', (chunk) => socket.write('echo ' + chunk))
}
http.createServer(answer(false)).on('upgrade', upgrade).listen(8080, process.env.POD_IP, () => console.log('up'))
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=self', '-keyout', '/tmp/' + process.env.HOSTNAME + '.key', '-out', '/tmp/' + process.env.HOSTNAME + '.crt'], { stdio: 'ignore' })
https.createServer({ key: readFileSync('/tmp/' + process.env.HOSTNAME + '.key'), cert: readFileSync('/tmp/' + process.env.HOSTNAME + '.crt') }, answer(true)).listen(8443, process.env.POD_IP)
`

let data: Awaited<ReturnType<typeof dataDirectory>>
let cluster: ClusterProcess
let api: Api
const namespace = '/api/v1/namespaces/default'

beforeAll(async () => {
  data = await dataDirectory('proxy')
  cluster = await startProcess({ dataDir: data.path })
  api = await openApi(cluster.kubeconfig)
  const ports = [
    { name: 'plain', containerPort: 8080 },
    { name: 'secure', containerPort: 8443 },
  ]
  const pod = (name: string, labels: Record<string, string>, spec: object) =>
    api.ok('POST', `${namespace}/pods`, {
      body: {
        metadata: { name, labels },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'main', image: 'host', command: ['node', '-e', program], ports, ...spec }],
        },
      },
    })
  await pod('web', { app: 'web' }, {})
  // Of the same service, and never ready: nobody may be sent to it.
  await pod('never', { app: 'web' }, { readinessProbe: { exec: { command: ['false'] } } })
  await api.ok('POST', `${namespace}/services`, {
    body: {
      metadata: { name: 'web' },
      spec: {
        selector: { app: 'web' },
        ports: [
          { name: 'http', port: 80, targetPort: 'plain' },
          { name: 'https', port: 443, targetPort: 'secure' },
        ],
      },
    },
  })
  await api.ok('POST', `${namespace}/services`, {
    body: { metadata: { name: 'nobody' }, spec: { selector: { app: 'no' }, ports: [{ port: 80 }] } },
  })
  await eventually(async () => expect((await api.send('GET', `${namespace}/services/web:http/proxy/`)).status).toBe(200), 60_000)
  await eventually(async () => expect((await api.send('GET', `${namespace}/pods/https:web:8443/proxy/`)).status).toBe(200), 60_000)
})
afterAll(async () => {
  api?.[Symbol.dispose]()
  await cluster?.interrupt()
  await data.remove()
})

describe('proxied pods and services', () => {
  it('get method, path, query, body and headers as the client sent them, and none of its credentials', async () => {
    const answer = await api.ok('PATCH', `${namespace}/pods/web:8080/proxy/a/b%20c?x=1&y=%2F`, {
      body: 'text',
      contentType: 'text/plain',
      headers: {
        authorization: 'Bearer secret',
        'x-custom': 'yes',
        'x-remote-user': 'root',
        'impersonate-user': 'ann',
        'impersonate-group': 'system:masters',
      },
    })
    expect(answer.headers['x-seen']).toBe('1')
    expect(answer.body).toMatchObject({ pod: 'web', method: 'PATCH', url: '/a/b%20c?x=1&y=%2F', body: 'text' })
    expect(answer.body.headers).toMatchObject({ 'x-custom': 'yes', 'content-type': 'text/plain' })
    for (const name of ['authorization', 'x-remote-user', 'impersonate-user', 'impersonate-group'])
      expect(answer.body.headers).not.toHaveProperty(name)
  })

  it('are found by every form of their name, over TLS too; the first port of a pod is meant without one', async () => {
    for (const [name, secure] of [
      ['pods/web', false],
      ['pods/web:plain', false],
      ['pods/http:web:8080', false],
      ['pods/https:web:secure', true],
      ['services/web:http', false],
      ['services/web:80', false],
      ['services/http:web:http', false],
      ['services/https:web:https', true],
      ['services/https:web:443', true],
    ] as const)
      expect((await api.ok('GET', `${namespace}/${name}/proxy/x`)).body, name).toMatchObject({ pod: 'web', secure, url: '/x' })
  })

  it('answer through a service from ready endpoints alone', async () => {
    const pods = await Promise.all(
      Array.from({ length: 20 }, async () => (await api.ok('GET', `${namespace}/services/web:http/proxy/`)).body.pod),
    )
    expect(new Set(pods)).toEqual(new Set(['web']))
    const none = await api.send('GET', `${namespace}/services/nobody/proxy/`)
    expect([none.status, none.body.reason, none.body.message]).toEqual([
      503,
      'ServiceUnavailable',
      'no endpoints available for service "nobody"',
    ])
  })

  it('answer in their own words: status, headers and body; redirects to themselves lead through the proxy', async () => {
    const teapot = await api.send('GET', `${namespace}/pods/web/proxy/gone`)
    expect([teapot.status, teapot.headers['x-tea'], teapot.text]).toEqual([418, 'yes', 'teapot'])
    const away = await api.send('GET', `${namespace}/pods/web:8080/proxy/away`)
    expect([away.status, away.headers.location]).toEqual([302, `${namespace}/pods/web:8080/proxy/there?x=1`])
    const elsewhere = await api.send('GET', `${namespace}/pods/web/proxy/elsewhere`)
    expect([elsewhere.status, elsewhere.headers.location]).toEqual([302, 'http://example.com/x'])
    const slash = await api.send('GET', `${namespace}/services/web:http/proxy?a=1`)
    expect([slash.status, slash.headers.location]).toEqual([301, `${namespace}/services/web:http/proxy/?a=1`])
  })

  it('refuse what cannot be: a port that is not there, another scheme, a name that is none, a climbing path', async () => {
    expect((await api.send('GET', `${namespace}/services/web:none/proxy/`)).status).toBe(400)
    expect((await api.send('GET', `${namespace}/services/ftp:web:80/proxy/`)).status).toBe(400)
    expect((await api.send('GET', `${namespace}/pods/absent/proxy/`)).status).toBe(404)
    expect((await api.send('GET', `${namespace}/pods/web/proxy/..%2f..%2fx`)).status).toBe(400)
    expect((await api.send('GET', `${namespace}/pods/web:1/proxy/`)).status).toBe(503)
  })

  it('never lead to this machine: endpoints on loopback and link-local addresses, pods on the network of the node', async () => {
    await api.ok('POST', `${namespace}/services`, { body: { metadata: { name: 'self' }, spec: { ports: [{ port: 80, name: 'p' }] } } })
    for (const address of ['127.0.0.1', '169.254.169.254']) {
      await api.send('PUT', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/self-1', {
        body: {
          metadata: { name: 'self-1', labels: { 'kubernetes.io/service-name': 'self' } },
          addressType: 'IPv4',
          endpoints: [{ addresses: [address], conditions: { ready: true } }],
          ports: [{ name: 'p', port: Number(new URL(api.server).port), protocol: 'TCP' }],
        },
      })
      const answer = await api.send('GET', `${namespace}/services/self:p/proxy/`)
      expect([400, 503], address).toContain(answer.status)
    }
    await api.ok('POST', `${namespace}/services`, {
      body: { metadata: { name: 'outside' }, spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port: 80 }] } },
    })
    const external = await api.send('GET', `${namespace}/services/outside:80/proxy/`)
    expect([external.status, external.body.reason]).toEqual([400, 'BadRequest'])
  })

  it('carry WebSockets; a server that does not want one says so itself', async () => {
    // kubectl proxy brings the certificate, so that a plain client can ask for the upgrade.
    const proxy = spawn('kubectl', ['--kubeconfig', cluster.kubeconfig, 'proxy', '--port=0'])
    try {
      const [line] = (await once(proxy.stdout, 'data')) as [Buffer]
      const port = Number(/:(\d+)/.exec(String(line))?.[1])
      const upgrade = (path: string) =>
        new Promise<{ readonly status: number | undefined; readonly said: string }>((resolve, reject) => {
          const asked = request({ port, path, headers: { connection: 'Upgrade', upgrade: 'websocket' } })
          asked.once('upgrade', (answer, socket) => {
            socket.once('data', (chunk: Buffer) => {
              resolve({ status: answer.statusCode, said: String(chunk) })
              socket.destroy()
            })
            socket.write('hello')
          })
          asked.once('response', (answer) => {
            answer.once('data', (chunk: Buffer) => resolve({ status: answer.statusCode, said: String(chunk) }))
          })
          asked.once('error', reject)
          asked.end()
        })
      expect(await upgrade(`${namespace}/pods/web:8080/proxy/ws`)).toEqual({ status: 101, said: 'echo hello' })
      expect(await upgrade(`${namespace}/services/web:http/proxy/ws`)).toEqual({ status: 101, said: 'echo hello' })
      expect(await upgrade(`${namespace}/pods/web:8080/proxy/refuse`)).toEqual({ status: 426, said: 'nope' })
      // And without an upgrade, as a browser asks.
      const text = await (await fetch(`http://127.0.0.1:${port}${namespace}/services/web:http/proxy/page`)).json()
      expect(text).toMatchObject({ url: '/page' })
    } finally {
      proxy.kill()
      await once(proxy, 'exit')
    }
  })

  it('are asked by kubectl get --raw', async () => {
    const raw = spawn('kubectl', ['--kubeconfig', cluster.kubeconfig, 'get', '--raw', `${namespace}/services/web:http/proxy/raw`])
    let text = ''
    raw.stdout.on('data', (chunk) => {
      text += chunk
    })
    await once(raw, 'close')
    expect(JSON.parse(text)).toMatchObject({ url: '/raw', method: 'GET' })
  })

  it('ask a node through its agent', async () => {
    const [node] = (await api.ok('GET', '/api/v1/nodes')).body.items
    expect((await api.ok('GET', `/api/v1/nodes/${node.metadata.name}/proxy/healthz`)).text).toBe('ok')
    expect((await api.ok('GET', `/api/v1/nodes/${node.metadata.name}/proxy/pods`)).body.items.length).toBeGreaterThan(0)
  })
})
