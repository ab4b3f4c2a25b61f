import { createServer, request, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { acceptExec, acceptPortForward, exitStatus, SpdyConnection, type SpdyStream, upgradeKind } from '../../src/index.ts'
import { TerminalSizeParser } from '../../src/remote/terminal-sizes.ts'

/** Echoes input on stdout, writes the terminal's size on stderr, and ends with code 3 when the input ends. */
let server: Server
const failures: string[] = []
let gone = 0

beforeAll(async () => {
  server = createServer()
  server.on('upgrade', async (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://x')
    try {
      if (url.pathname === '/portforward') {
        const session = await acceptPortForward(request, socket, head, { ports: url.searchParams.getAll('ports').map(Number) })
        for await (const { port, data, error } of session) {
          if (port === 1) {
            error.end('nobody listens')
            data.end()
          } else
            data.once('data', (chunk) => {
              data.end(`${port}:${chunk}`)
              error.end()
            })
        }
        return
      }
      const tty = url.searchParams.has('tty')
      const streams = await acceptExec(request, socket, head, {
        stdin: true,
        stdout: true,
        stderr: true,
        tty,
        signal: AbortSignal.timeout(Number(url.searchParams.get('patience') ?? 5000)),
      })
      streams.closed.addEventListener('abort', () => gone++)
      if (tty)
        for await (const { width, height } of streams.resize) {
          streams.stdout?.write(`${width}x${height}`)
          break
        }
      for await (const chunk of streams.stdin ?? []) streams.stdout?.write(chunk)
      streams.stderr?.write('end')
      await streams.finish(exitStatus(3))
    } catch (error) {
      failures.push((error as { code: string }).code)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const port = (): number => (server.address() as AddressInfo).port

async function spdy(path: string, protocols: readonly string[]): Promise<{ head: string; socket: Socket }> {
  const socket = connect(port(), '127.0.0.1')
  const offer = protocols.map((protocol) => `X-Stream-Protocol-Version: ${protocol}\r\n`).join('')
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${offer}\r\n`)
  let head = Buffer.alloc(0)
  for (;;) {
    const chunk = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) continue
    socket.pause()
    if (head.length > end + 4) socket.unshift(head.subarray(end + 4))
    return { head: head.toString('latin1', 0, end), socket }
  }
}

async function text(stream: SpdyStream): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += chunk
  return all
}

describe('exec over SPDY', () => {
  test.for([
    { offered: ['v4.channel.k8s.io', 'v3.channel.k8s.io'], chosen: 'v4.channel.k8s.io' },
    { offered: ['v5.channel.k8s.io', 'v3.channel.k8s.io', 'v4.channel.k8s.io'], chosen: 'v3.channel.k8s.io' },
    { offered: ['v2.channel.k8s.io'], chosen: 'v2.channel.k8s.io' },
    { offered: ['channel.k8s.io'], chosen: 'channel.k8s.io' },
    { offered: [], chosen: undefined },
  ])('$offered', async ({ offered, chosen }) => {
    const { head, socket } = await spdy('/exec', offered)
    expect(head).toMatch(/^HTTP\/1.1 101 /)
    expect(/X-Stream-Protocol-Version: (.*)/.exec(head)?.[1]).toBe(chosen)
    const connection = new SpdyConnection(socket, { role: 'client' })
    const streams: Record<string, SpdyStream> = {}
    for (const streamType of ['error', 'stdin', 'stdout', 'stderr']) streams[streamType] = await connection.open({ streamType })
    streams.stdin?.end('hello')
    const [out, err, status] = await Promise.all(['stdout', 'stderr', 'error'].map((type) => text(streams[type] as SpdyStream)))
    expect([out, err]).toEqual(['hello', 'end'])
    if (chosen?.startsWith('v4'))
      expect(JSON.parse(status ?? '')).toMatchObject({
        status: 'Failure',
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '3' }] },
      })
    else expect(status).toBe('command terminated with non-zero exit code: exit status 3')
    socket.end()
  })

  test('refuses a client that speaks none of our protocols', async () => {
    const { head } = await spdy('/exec', ['v9.channel.k8s.io'])
    expect(head).toMatch(/^HTTP\/1.1 403 /)
    expect(failures.pop()).toBe('STREAM_NO_PROTOCOL')
  })

  test('gives up a client that does not open its streams', async () => {
    const { socket } = await spdy('/exec?patience=100', ['v4.channel.k8s.io'])
    await new Promise((resolve) => socket.resume().on('close', resolve))
    await expect.poll(() => failures.pop()).toBe('STREAM_TIMEOUT')
  })
})

describe('exec over SPDY through a stream that is no socket', () => {
  test('begins within the delivery of the request', async () => {
    const [ours, theirs] = duplexPair()
    server.emit('connection', theirs)
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' }
    const outgoing = request({ method: 'POST', path: '/exec', headers, createConnection: () => ours as Socket })
    const upgraded = new Promise<Socket>((resolve) => outgoing.on('upgrade', (_answer, stream) => resolve(stream)))
    outgoing.end()
    const connection = new SpdyConnection(await upgraded, { role: 'client' })
    const streams: SpdyStream[] = []
    for (const streamType of ['error', 'stdin', 'stdout', 'stderr']) streams.push(await connection.open({ streamType }))
    streams[1]?.end('hello')
    expect(await text(streams[2] as SpdyStream)).toBe('hello')
    connection.destroy()
  })
})

describe('exec over WebSocket', () => {
  async function converse(protocols: readonly string[], path: string, send: (socket: WebSocket) => void) {
    const socket = new WebSocket(`ws://127.0.0.1:${port()}${path}`, protocols as string[])
    const messages: Buffer[] = []
    socket.on('message', (data: Buffer) => messages.push(data))
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
    send(socket)
    const code = await new Promise<number>((resolve) => socket.on('close', resolve))
    return { messages, code, protocol: socket.protocol }
  }

  const channel = (messages: readonly Buffer[], number: number): string =>
    messages
      .filter((message) => message[0] === number)
      .map((message) => message.toString('utf8', 1))
      .join('')

  test('v5 closes the input by a message on channel 255', async () => {
    const { messages, code, protocol } = await converse(['v5.channel.k8s.io', 'v4.channel.k8s.io'], '/exec', (socket) => {
      socket.send(Buffer.from('\0hello'))
      socket.send(Buffer.from([255, 0]))
    })
    expect(protocol).toBe('v5.channel.k8s.io')
    expect(code).toBe(1000)
    expect([channel(messages, 1), channel(messages, 2)]).toEqual(['hello', 'end'])
    expect(JSON.parse(channel(messages, 3))).toMatchObject({ reason: 'NonZeroExitCode' })
  })

  test('with a terminal passes its size on and has no stderr', async () => {
    const { messages } = await converse(['v5.channel.k8s.io'], '/exec?tty', (socket) => {
      socket.send(Buffer.from('\x04{"Width":120,"Height":40}'))
      socket.send(Buffer.from([255, 0]))
    })
    expect([channel(messages, 1), channel(messages, 2)]).toEqual(['120x40', ''])
  })

  test('v4 in base64 works for clients that cannot send bytes', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port()}/exec`, ['v4.base64.channel.k8s.io'])
    const echo = new Promise<string>((resolve) => {
      socket.on('message', (data: Buffer) => {
        if (data.length > 1) resolve(data.toString())
      })
    })
    socket.on('open', () => socket.send(`0${Buffer.from('hello').toString('base64')}`))
    expect(await echo).toBe(`1${Buffer.from('hello').toString('base64')}`)
    const before = gone
    socket.terminate()
    await expect.poll(() => gone).toBe(before + 1)
  })

  test('refuses a client that speaks none of our protocols', async () => {
    await expect(converse(['v9.channel.k8s.io'], '/exec', () => {})).rejects.toThrow('400')
    expect(failures.pop()).toBe('STREAM_NO_PROTOCOL')
  })

  test('is told apart from requests that want no upgrade', () => {
    expect(upgradeKind({ headers: { connection: 'keep-alive, Upgrade', upgrade: 'WebSocket' } })).toBe('websocket')
    expect(upgradeKind({ headers: { connection: 'upgrade', upgrade: 'SPDY/3.1' } })).toBe('spdy')
    expect(upgradeKind({ headers: { upgrade: 'SPDY/3.1' } })).toBeUndefined()
    expect(upgradeKind({ headers: { connection: 'upgrade', upgrade: 'h2c' } })).toBeUndefined()
  })
})

describe('port-forward', () => {
  test('pairs streams by request id, in any order, and tells failures', async () => {
    const { head, socket } = await spdy('/portforward', ['portforward.k8s.io'])
    expect(head).toContain('X-Stream-Protocol-Version: portforward.k8s.io')
    const connection = new SpdyConnection(socket, { role: 'client' })
    const error0 = await connection.open({ streamType: 'error', port: '80', requestID: '0' })
    const error1 = await connection.open({ streamType: 'error', port: '1', requestID: '1' })
    const data1 = await connection.open({ streamType: 'data', port: '1', requestID: '1' })
    const data0 = await connection.open({ streamType: 'data', port: '80', requestID: '0' })
    for (const stream of [error0, error1, data1]) stream.end()
    data0.write('hi')
    expect(await text(data0)).toBe('80:hi')
    expect(await text(error0)).toBe('')
    expect(await text(error1)).toBe('nobody listens')
    expect(await text(data1)).toBe('')
    socket.end()
  })

  test('pairs streams of clients without request ids by their order', async () => {
    const { socket } = await spdy('/portforward', ['portforward.k8s.io'])
    const connection = new SpdyConnection(socket, { role: 'client' })
    await connection.open({ streamType: 'error', port: '80' })
    const data = await connection.open({ streamType: 'data', port: '80' })
    data.write('hi')
    expect(await text(data)).toBe('80:hi')
    socket.end()
  })

  test('over WebSocket channels begins with the port and gives each port two channels', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port()}/portforward?ports=80&ports=8080`, ['v4.channel.k8s.io'])
    const messages: string[] = []
    socket.on('message', (data: Buffer) => messages.push(data.toString('latin1')))
    await new Promise((resolve) => socket.on('open', resolve))
    socket.send(Buffer.from('\x02hi'))
    await expect.poll(() => messages).toContain('\x028080:hi')
    expect(messages.slice(0, 4)).toEqual(['\x00P\x00', '\x01P\x00', '\x02\x90\x1f', '\x03\x90\x1f'])
    socket.terminate()
  })
})

describe('terminal sizes', () => {
  test('are found however the text is cut, and nonsense is skipped', () => {
    const parser = new TerminalSizeParser()
    const sizes = [...'{"Width":1,"Height":2}\n{"Width":-1,"Height":2}{"x":1}}{"Width":3,"Height":4}'].flatMap((character) =>
      parser.push(Buffer.from(character)),
    )
    expect(sizes).toEqual([
      { width: 1, height: 2 },
      { width: 3, height: 4 },
    ])
  })
})
