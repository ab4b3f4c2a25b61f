import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type Duplex, duplexPair } from 'node:stream'
import { type AnyCapability, type ObjectClient, ObjectClientCap } from '@continuo/core'
import { Node, type NodeDialer, NodeDialerCap, Pod } from '@continuo/workload'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { type RunningApi, startApi } from '../running-api.ts'

/** An agent whose node is connected: each dialled stream is served by one HTTP server, as agents do. */
class FakeAgent implements NodeDialer {
  readonly asked: { method: string; url: string; headers: IncomingMessage['headers'] }[] = []
  readonly streams = new Set<Duplex>()
  readonly server: Server

  constructor() {
    this.server = createServer((request, response) => {
      this.asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
      const path = request.url ?? ''
      if (path.includes('/redirect')) return void response.writeHead(302, { location: 'https://evil.example/' }).end()
      if (path.includes('/broken')) return void response.writeHead(500).end('container is broken\n')
      if (path.includes('follow=true')) {
        response.writeHead(200, { 'content-type': 'text/plain' })
        response.write('first\n')
        return
      }
      if (request.method === 'POST') {
        response.writeHead(201, { 'x-own': 'yes', 'set-cookie': 'a=b' })
        request.pipe(response)
        return
      }
      response.writeHead(200, { 'content-type': 'text/plain' }).end('one\ntwo\n')
    })
    this.server.on('upgrade', (request, socket) => {
      this.asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
      if (request.url?.includes('command=refuse') === true) {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n')
        return
      }
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n`,
      )
      socket.on('data', (bytes: Buffer) => socket.write(`echo ${bytes.toString()}`))
      socket.on('error', () => {})
    })
  }

  async dial(node: string): Promise<Duplex> {
    if (node !== 'n1') throw new TypeError('not connected')
    const [ours, theirs] = duplexPair()
    this.streams.add(ours)
    ours.once('close', () => this.streams.delete(ours))
    this.server.emit(
      'connection',
      Object.assign(theirs, { setTimeout: () => theirs, setNoDelay: () => theirs, setKeepAlive: () => theirs }),
    )
    return ours
  }

  connected(): readonly string[] {
    return ['n1']
  }
}

let api: RunningApi
let agent: FakeAgent
const pods = '/api/v1/namespaces/default/pods'

beforeAll(async () => {
  agent = new FakeAgent()
  api = await startApi({}, [], [[NodeDialerCap as AnyCapability, agent]])
  const client: ObjectClient = api.host.use(ObjectClientCap)
  await client.for(Node).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
  for (const [name, nodeName] of [
    ['here', 'n1'],
    ['redirect', 'n1'],
    ['broken', 'n1'],
    ['lost', 'n2'],
  ]) {
    await client.for(Pod).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: name as string, namespace: 'default' },
      spec: { nodeName, containers: [{ name: 'c', image: 'x' }] },
    })
  }
})
afterAll(() => api[Symbol.asyncDispose]())

const upgrade = (path: string, protocol: string, method = 'GET'): Promise<{ text: () => string; socket: Duplex }> =>
  import('node:tls').then(
    ({ connect }) =>
      new Promise((resolve, reject) => {
        const url = new URL(api.endpoint.url)
        const socket = connect({
          host: url.hostname,
          port: Number(url.port),
          ca: api.endpoint.authority,
          cert: api.endpoint.admin?.certificate,
          key: api.endpoint.admin?.privateKey,
        })
        let received = ''
        socket.on('data', (bytes: Buffer) => {
          received += bytes
        })
        socket.once('data', () => resolve({ text: () => received, socket }))
        socket.once('error', reject)
        socket.write(
          `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nAuthorization-Extra: no\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n\r\n`,
        )
      }),
  )

describe('logs', () => {
  it('come from the agent of the node', async () => {
    const answer = await api.call(`${pods}/here/log?container=c&tailLines=2`)
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, 'text/plain', 'one\ntwo\n'])
    expect(agent.asked.at(-1)).toMatchObject({ method: 'GET', url: '/containerLogs/default/here/c?tailLines=2', headers: { host: 'n1' } })
  })

  it('flow while they are followed, and end at the agent when the client goes', async () => {
    const stream = api.session().request({ ':path': `${pods}/here/log?follow=true` })
    expect(await new Promise((resolve) => stream.setEncoding('utf8').once('data', resolve))).toBe('first\n')
    expect(agent.streams.size).toBe(1)
    stream.close()
    await expect.poll(() => agent.streams.size).toBe(0)
  })

  it.each([
    ['broken', 500, 'container is broken'],
    ['redirect', 500, 'the other end answered with a redirect, which is not followed'],
    ['lost', 503, 'node n2 is not connected to this server'],
    ['none', 404, 'pods "none" not found'],
  ])('of a pod that is %s are a Status of %i', async (name, status, message) => {
    const answer = await api.call(`${pods}/${name}/log`)
    expect([answer.status, answer.json.kind, answer.json.message]).toEqual([status, 'Status', message])
    expect(answer.headers.location).toBeUndefined()
  })
})

describe('exec', () => {
  it('is a tunnel once the agent has answered 101', async () => {
    const { text, socket } = await upgrade(`${pods}/here/exec?command=cat&stdin=1&stdout=1`, 'SPDY/3.1', 'POST')
    expect(text()).toMatch(/^HTTP\/1\.1 101 /)
    expect(text()).toMatch(/X-Stream-Protocol-Version: v4.channel.k8s.io/)
    socket.write('hello')
    await expect.poll(text).toMatch(/echo hello$/)
    expect(agent.asked.at(-1)).toMatchObject({
      method: 'POST',
      url: '/exec/default/here/c?stdin=true&stdout=true&command=cat',
      headers: { 'x-stream-protocol-version': 'v4.channel.k8s.io' },
    })
    expect(agent.asked.at(-1)?.headers['authorization-extra']).toBeUndefined()
    socket.destroy()
    await expect.poll(() => agent.streams.size).toBe(0)
  })

  it('passes WebSocket handshakes', async () => {
    const socket = new WebSocket(`${api.endpoint.url.replace('https', 'wss')}${pods}/here/exec?command=a&stdout=1`, ['v5.channel.k8s.io'], {
      ca: api.endpoint.authority,
      cert: api.endpoint.admin?.certificate,
      key: api.endpoint.admin?.privateKey,
    })
    // The fake agent does not compute the accept key: that the handshake got there and was judged by the client is the proof.
    await expect(new Promise((_, reject) => socket.once('error', reject))).rejects.toThrow(/Sec-WebSocket-Accept/)
    expect(agent.asked.at(-1)?.headers['sec-websocket-protocol']).toBe('v5.channel.k8s.io')
  })

  it('goes back to HTTP when the agent refuses, and leaves no tunnel', async () => {
    const { text, socket } = await upgrade(`${pods}/here/exec?command=refuse&stdout=1`, 'SPDY/3.1', 'POST')
    await new Promise((resolve) => socket.once('close', resolve))
    expect(text()).toMatch(/^HTTP\/1\.1 403 /)
    expect(JSON.parse(text().split('\r\n\r\n')[1] as string)).toMatchObject({ kind: 'Status', code: 403, message: 'no' })
    await expect.poll(() => agent.streams.size).toBe(0)
  })

  it.each([
    [`${pods}/here/exec?command=a&stdout=1`, 'h2c', 400],
    [`${pods}/here/log`, 'websocket', 400],
    [`${pods}/here`, 'websocket', 400],
    [`${pods}/none/exec?command=a&stdout=1`, 'websocket', 404],
    [`${pods}/lost/exec?command=a&stdout=1`, 'websocket', 503],
    ['/version', 'websocket', 404],
    [`${pods}/../x`, 'websocket', 400],
  ])('refuses to upgrade %s to %s with %i', async (path, protocol, status) => {
    const { text, socket } = await upgrade(path, protocol)
    await new Promise((resolve) => (socket.destroyed ? resolve(undefined) : socket.once('close', resolve)))
    expect(text()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(JSON.parse(text().split('\r\n\r\n')[1] as string)).toMatchObject({ kind: 'Status', code: status })
  })

  it('asked for without an upgrade is answered by the agent', async () => {
    expect((await api.call(`${pods}/here/exec?command=a`, {})).status).toBe(400)
  })
})

describe('proxy', () => {
  it('passes method, body, answer and headers, but no credentials', async () => {
    const plain = await api.call('/api/v1/nodes/n1/proxy/stats/a%2Fb?x=1', {
      method: 'POST',
      body: 'payload',
      headers: { 'content-type': 'text/x', authorization: 'Bearer secret', 'continuo-cause': 'x' },
    })
    expect([plain.status, plain.text, plain.headers['x-own'], plain.headers['set-cookie']]).toEqual([201, 'payload', 'yes', ['a=b']])
    expect(agent.asked.at(-1)).toMatchObject({ method: 'POST', url: '/stats/a%2Fb?x=1', headers: { 'content-type': 'text/x' } })
    for (const name of ['authorization', 'continuo-cause']) expect(agent.asked.at(-1)?.headers[name]).toBeUndefined()
  })
})
