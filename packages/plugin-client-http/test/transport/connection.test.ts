import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createVirtualClock } from '@continuo/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createHttpClient } from '../../src/index.ts'
import { Backoff } from '../../src/transport/backoff.ts'
import { drain, line, refusal, Widget, widget } from '../objects.ts'
import { certificates, http1Server, http2Server } from '../servers.ts'

const { signal } = new AbortController()

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('a server that cannot be reached', () => {
  it.each(['https', 'http'])('is 503 with a hint, for reads and writes alike (%s)', async (scheme) => {
    await using client = await createHttpClient({ server: `${scheme}://127.0.0.1:${await freePort()}` })
    const wanted = {
      reason: 'ServiceUnavailable',
      message: expect.stringContaining('cannot be reached: connect ECONNREFUSED'),
      hint: expect.stringContaining('nothing listens there'),
    }
    expect(await refusal(client.for(Widget).get('default/a'))).toMatchObject(wanted)
    expect(await refusal(client.for(Widget).create(widget('a')))).toMatchObject(wanted)
    expect(await refusal(client.for(Widget).watch({ signal }))).toMatchObject(wanted)
    expect(client.problem).toMatchObject({ code: 'CLIENT_UNREACHABLE' })
  })

  it('is not trusted with another authority, or under another name', async () => {
    const server = await http2Server(({ json }) => json(widget('a')))
    const strange = await server.connect({ ca: undefined })
    expect(await refusal(strange.for(Widget).get('default/a'))).toMatchObject({
      reason: 'ServiceUnavailable',
      hint: expect.stringContaining('`ca`'),
    })
    const named = await server.connect({ tlsServerName: 'other.example' })
    expect(await refusal(named.for(Widget).get('default/a'))).toMatchObject({ hint: expect.stringContaining('tlsServerName') })
    expect(server.seen).toEqual([])
  })

  it('does not speak HTTP/2', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void silent.close())
    await using client = await createHttpClient({ server: `https://127.0.0.1:${(silent.address() as AddressInfo).port}` })
    expect(await refusal(client.for(Widget).get('default/a'))).toMatchObject({ reason: 'ServiceUnavailable' })
  })

  it('takes too long to answer', async () => {
    const silent = createServer((socket) => void socket.on('error', () => {}))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void silent.close())
    await using client = await createHttpClient({
      server: `https://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      connectTimeoutMs: 50,
    })
    expect(await refusal(client.for(Widget).get('default/a'))).toMatchObject({
      reason: 'ServiceUnavailable',
      message: expect.stringContaining('within 50 ms'),
    })
  })

  it('has a file of credentials that is not there', async () => {
    await using client = await createHttpClient({ server: 'https://127.0.0.1:1', caFile: '/nowhere/ca.pem' })
    expect(await refusal(client.for(Widget).get('default/a'))).toMatchObject({
      message: 'the authority in /nowhere/ca.pem cannot be read: ENOENT',
    })
    await using bearer = await createHttpClient({ server: 'https://127.0.0.1:1', tokenFile: '/nowhere/token' })
    expect(await refusal(bearer.for(Widget).get('default/a'))).toMatchObject({
      message: 'the token in /nowhere/token cannot be read: ENOENT',
    })
  })
})

it('shares one connection between all requests and watches', async () => {
  const server = await http2Server(({ stream, seen, json }) => {
    if (!seen.path.includes('watch')) return json(widget('a'))
    stream.respond({ ':status': 200 })
    stream.write(line('ADDED', widget('a')))
  })
  const widgets = (await server.connect()).for(Widget)
  await Promise.all(Array.from({ length: 50 }, () => widgets.watch({ signal })))
  await Promise.all(Array.from({ length: 50 }, () => widgets.get('default/a')))
  expect([server.seen.length, server.connections]).toEqual([100, 1])
})

it('opens a second connection where the server allows few streams', async () => {
  const server = await http2Server(
    ({ stream, seen, json }) => {
      if (!seen.path.includes('watch')) return json(widget('a'))
      stream.respond({ ':status': 200 })
      stream.write(line('ADDED', widget('a')))
    },
    { maxConcurrentStreams: 3 },
  )
  const widgets = (await server.connect()).for(Widget)
  await widgets.get('default/a')
  for (let count = 0; count < 4; count++) await widgets.watch({ signal })
  expect(server.connections).toBe(2)
})

it('shows the client certificate', async () => {
  const { client: pair } = await certificates()
  const server = await http2Server(({ stream, json }) => {
    const { subject } = (stream.session!.socket as TLSSocket).getPeerCertificate()
    json(widget(subject.CN as string))
  })
  const client = await server.connect({ cert: pair.certificate, key: pair.privateKey })
  expect((await client.for(Widget).get('default/a')).metadata.name).toBe('me')
})

it('connects anew after the server was away, and not in a tight loop', async () => {
  const port = await freePort()
  const before = await http2Server(({ json }) => json(widget('before')), { port })
  const client = await before.connect()
  const widgets = client.for(Widget)
  expect((await widgets.get('default/a')).metadata.name).toBe('before')
  await before.stop()
  const began = performance.now()
  for (let count = 0; count < 4; count++) expect((await refusal(widgets.get('default/a'))).reason).toBe('ServiceUnavailable')
  // The first failure comes at once, the others after 100, 200 and 400 ms at least.
  expect(performance.now() - began).toBeGreaterThan(690)
  const after = await http2Server(({ json }) => json(widget('after')), { port })
  expect((await widgets.get('default/a')).metadata.name).toBe('after')
  expect([after.seen.length, client.problem]).toEqual([1, undefined])
})

/** Stands between client and server, and can keep all bytes to itself without closing anything. */
async function freezer(target: string) {
  let frozen = false
  const { port } = new URL(target)
  const sockets: Socket[] = []
  const proxy = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1')
    const born = frozen
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.push(from)
      from.on('error', () => {})
      from.on('close', () => to.destroy())
      from.on('data', (bytes) => {
        if (frozen === born) to.write(bytes)
      })
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return {
    url: `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    /** Connections that exist by now; later ones work. */
    freeze: () => {
      frozen = true
    },
  }
}

it('finds out that a connection is dead, and ends what hangs on it', async () => {
  const server = await http2Server(({ stream, json, seen }) => {
    if (!seen.path.includes('watch')) return json(widget('a'))
    stream.respond({ ':status': 200 })
    stream.write(line('ADDED', widget('a')))
  })
  const proxy = await freezer(server.url)
  const client = await server.connect({ server: proxy.url, keepAliveMs: 50, pingTimeoutMs: 1_000 })
  const watch = (await client.for(Widget).watch({ signal }))[Symbol.asyncIterator]()
  expect((await watch.next()).value).toMatchObject({ type: 'ADDED' })
  proxy.freeze()
  await expect(watch.next()).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
  expect((await client.for(Widget).get('default/a')).metadata.name).toBe('a')
  expect(server.connections).toBe(2)
})

it('keeps a connection that answers pings', async () => {
  const server = await http2Server(({ stream, json, index }) => (index === 0 ? void stream.respond({ ':status': 200 }) : json(widget('a'))))
  const client = await server.connect({ keepAliveMs: 5, pingTimeoutMs: 1_000 })
  const abort = new AbortController()
  const watch = drain(await client.for(Widget).watch({ signal: abort.signal }))
  for (let count = 0; count < 10; count++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    await client.for(Widget).get('default/a')
  }
  abort.abort()
  expect(await watch).toEqual({ seen: [] })
  expect(server.connections).toBe(1)
})

it.each(['h2', 'h1'])('bounds the requests in flight (%s)', async (version) => {
  const options = { maxInFlight: 2, requestTimeoutMs: 200 }
  const client = version === 'h2' ? await (await http2Server(() => {})).connect(options) : (await http1Server(() => {}, options)).client
  const widgets = client.for(Widget)
  const held = [refusal(widgets.get('default/a')), refusal(widgets.get('default/b'))]
  expect(await refusal(widgets.get('default/c'))).toMatchObject({ reason: 'TooManyRequests', hint: expect.stringContaining('maxInFlight') })
  expect((await Promise.all(held)).map((error) => error.reason)).toEqual(['Timeout', 'Timeout'])
  expect(await refusal(widgets.get('default/a'))).toMatchObject({ reason: 'Timeout' })
})

it.each(['h2', 'h1'])('ends everything when it is closed (%s)', async (version) => {
  const begun: (() => void)[] = []
  const open = new Promise<void>((resolve) => begun.push(resolve))
  const server =
    version === 'h2'
      ? await http2Server(({ stream, seen }) => (seen.path.includes('watch') ? stream.respond({ ':status': 200 }) : begun[0]?.()))
      : await http1Server((request, response) => {
          if (!request.url?.includes('watch')) return begun[0]?.()
          response.writeHead(200)
          response.flushHeaders()
        })
  const client = 'client' in server ? server.client : await server.connect()
  const watch = drain(await client.for(Widget).watch({ signal }))
  const get = refusal(client.for(Widget).get('default/a'))
  await open
  await client.close()
  expect([(await watch).error, await get]).toEqual([
    expect.objectContaining({ reason: 'ServiceUnavailable' }),
    expect.objectContaining({ reason: 'ServiceUnavailable' }),
  ])
  expect(await refusal(client.for(Widget).get('default/a'))).toMatchObject({
    reason: 'ServiceUnavailable',
    message: expect.stringContaining('has been closed'),
  })
})

it('uses an HTTP/1.1 connection again', async () => {
  const ports = new Set<number | undefined>()
  const { client } = await http1Server((request, response) => {
    ports.add(request.socket.remotePort)
    response.end(JSON.stringify(widget('a')))
  })
  for (let count = 0; count < 5; count++) await client.for(Widget).get('default/a')
  expect(ports.size).toBe(1)
})

it('backs off more and more, with chance, up to a bound', async () => {
  const clock = createVirtualClock()
  const backoff = new Backoff(clock, { next: () => 0.5 } as never)
  expect(backoff.delay).toBe(0)
  const delays = Array.from({ length: 9 }, () => {
    backoff.failed()
    return backoff.delay
  })
  expect(delays).toEqual([150, 300, 600, 1_200, 2_400, 4_800, 7_500, 7_500, 7_500])
  await clock.advance(7_000)
  expect(backoff.delay).toBe(500)
  backoff.succeeded()
  expect(backoff.delay).toBe(0)
})

it('does not connect in a tight loop to a server that takes leave of every connection', async () => {
  const server = await http2Server(({ json }) => json(widget('a')))
  server.onSession((session) => session.goaway(0, 0))
  const client = await server.connect({ requestTimeoutMs: 1_000 })
  await refusal(client.for(Widget).get('default/a'))
  // At once there would be five: the request and its four retries.
  expect(server.connections).toBeLessThan(5)
})

describe('an API with several replicas', () => {
  it('is reached at another one when the first goes away, and by who knows no other is not', async () => {
    const first = await http2Server(({ json }) => json(widget('first')))
    const second = await http2Server(({ json }) => json(widget('second')))
    const client = await first.connect()
    client.follow([second.url])
    expect((await client.for(Widget).get('default/a')).metadata.name).toBe('first')
    await first.stop()
    expect((await client.for(Widget).get('default/a')).metadata.name).toBe('second')
    await second.stop()
    expect(await refusal(client.for(Widget).get('default/a'))).toMatchObject({ reason: 'ServiceUnavailable' })
  })
})
