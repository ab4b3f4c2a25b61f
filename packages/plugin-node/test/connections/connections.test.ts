import { createServer, type IncomingMessage, request, Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { isApiError, silentLog, systemClock, systemRandom, type UserInfo } from '@continuo/core'
import { afterEach, describe, expect, it } from 'vitest'
import { RemoteConnections } from '../../src/connections/remote-connections.ts'
import { Uplink } from '../../src/connections/uplink.ts'

const ended: (() => void)[] = []
afterEach(() => {
  for (const end of ended.splice(0)) end()
})

const heartbeat = { clock: systemClock, pingMs: 50, timeoutMs: 100 }
const never = new AbortController().signal
const agentUser: UserInfo = { username: 'system:node:one', groups: ['system:nodes'] }

/** A replica of the control plane, which takes whoever connects for `user`. */
async function replica(user: UserInfo = agentUser) {
  let nodes = 0
  const set = (value: number): void => {
    nodes = value
  }
  const connections = new RemoteConnections({ heartbeat, log: silentLog, open: { set } })
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (asked: IncomingMessage, socket: Duplex, head: Buffer) => {
    const caller = { user, trusted: false }
    const path = asked.url ?? ''
    connections
      .accept({ path, query: new URLSearchParams(), headers: asked.headers, caller, socket, head, signal: never })
      .catch((error: unknown) => socket.end(`HTTP/1.1 ${isApiError(error) ? error.status : 500} no\r\ncontent-length: 0\r\n\r\n`))
  })
  const listen = (port = 0) => new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  await listen()
  const { port } = server.address() as AddressInfo
  ended.push(() => {
    connections.close()
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { connections, sockets, origin: `http://127.0.0.1:${port}`, nodes: () => nodes }
}

/** An agent that answers HTTP on each stream, and echoes those that ask for an upgrade. */
async function agent(origins: readonly string[], name = 'one') {
  const server = new Server((asked, answer) => answer.end(`agent of ${name} at ${asked.url}`))
  server.on('upgrade', (_asked, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  const access = { server: origins[0] as string, tls: async () => ({}), follow: () => {} }
  const uplink = new Uplink({ access, heartbeat, random: systemRandom, clock: systemClock, log: silentLog })
  uplink.follow(origins)
  await uplink.offer(name, (stream) => server.emit('connection', stream))
  ended.push(() => uplink.close())
  return uplink
}

const eventually = async (check: () => void): Promise<void> => {
  const until = systemClock.monotonic() + 5_000
  for (;;) {
    try {
      return check()
    } catch (error) {
      if (systemClock.monotonic() > until) throw error
      await systemClock.sleep(5)
    }
  }
}

async function get(stream: Duplex, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ path, createConnection: () => stream, headers: { host: 'agent' } }, (answer) => text(answer).then(resolve, reject))
      .on('error', reject)
      .end()
  })
}

async function echo(stream: Duplex): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    request({ createConnection: () => stream, headers: { host: 'agent', connection: 'Upgrade', upgrade: 'echo' } })
      .on('upgrade', (_answer, socket) => resolve(socket))
      .on('error', reject)
      .end()
  })
}

describe('connections that agents open', () => {
  it('carry many streams to the agent at a time', async () => {
    const { connections, origin, nodes } = await replica()
    await agent([origin])
    await eventually(() => expect(connections.has('one')).toBe(true))
    expect(nodes()).toBe(1)
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => get(await connections.dial('one', never), `/logs/${index}`)),
    )
    expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => `agent of one at /logs/${index}`))
  })

  it('carry half-closed streams: what was sent comes back after the end was told', async () => {
    const { connections, origin } = await replica()
    await agent([origin])
    await eventually(() => expect(connections.has('one')).toBe(true))
    const stream = await echo(await connections.dial('one', never))
    const sent = Buffer.alloc(3 * 1024 * 1024, 'x')
    stream.end(sent)
    expect((await text(stream)).length).toBe(sent.length)
  })

  it('go to every replica, and no longer to one that is gone', async () => {
    const one = await replica()
    const two = await replica()
    const uplink = await agent([one.origin, two.origin])
    await eventually(() => expect([one.connections.has('one'), two.connections.has('one')]).toEqual([true, true]))
    expect(await get(await two.connections.dial('one', never), '/')).toBe('agent of one at /')
    uplink.follow([one.origin])
    await eventually(() => expect(two.connections.connected()).toEqual([]))
    expect(one.connections.has('one')).toBe(true)
    await expect(two.connections.dial('one', never)).rejects.toMatchObject({ code: 'NODE_NOT_CONNECTED' })
  })

  it('are opened again when they are lost', async () => {
    const { connections, sockets, origin } = await replica()
    await agent([origin])
    await eventually(() => expect(connections.has('one')).toBe(true))
    for (const socket of sockets) socket.destroy()
    await eventually(() => expect(connections.has('one')).toBe(false))
    await eventually(() => expect(connections.has('one')).toBe(true))
  })

  it('are given up when the other end answers no ping, and their streams with them', async () => {
    const { connections, sockets, origin } = await replica()
    await agent([origin])
    await eventually(() => expect(connections.has('one')).toBe(true))
    const stream = await echo(await connections.dial('one', never))
    stream.on('error', () => {})
    const closed = new Promise((resolve) => stream.once('close', resolve))
    // What the agent sends is not read any more, as on a cut wire.
    const [socket] = sockets as Set<Socket & { _handle: { readStop(): void; onread: unknown } }>
    socket?._handle.readStop()
    await closed
    await eventually(() => expect(connections.has('one')).toBe(true))
  })

  it('end a dial that nobody waits for', async () => {
    const { connections, origin } = await replica()
    await agent([origin])
    await eventually(() => expect(connections.has('one')).toBe(true))
    const abort = new AbortController()
    const dialled = connections.dial('one', abort.signal)
    abort.abort()
    await expect(dialled).rejects.toMatchObject({ name: 'AbortError' })
  })

  it.each([
    ['another node', { username: 'system:node:two', groups: ['system:nodes'] }],
    ['who is called like the node, and is none', { username: 'system:node:one', groups: ['system:authenticated'] }],
    ['an administrator', { username: 'admin', groups: ['system:masters'] }],
  ])('are refused to %s', async (_who, user) => {
    const { connections, origin } = await replica(user)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(new URL('/node-connection/one', origin), { headers: { connection: 'Upgrade', upgrade: 'continuo-node.v1' } })
        .on('response', (answer) => resolve(answer.resume().statusCode))
        .on('upgrade', (answer) => resolve(answer.statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(403)
    expect(connections.connected()).toEqual([])
  })
})
