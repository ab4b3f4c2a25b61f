import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { silentLog, systemClock } from '@continuo/core'
import type { ProxyEndpoint, ProxyServicePort, ProxyState } from '@continuo/workload'
import { afterEach, describe, expect, it } from 'vitest'
import { UserspaceProxy } from '../src/userspace-proxy.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function backend(name: string): Promise<{ endpoint: ProxyEndpoint; server: Server }> {
  const server = createServer((_, response) => response.end(name))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close())
  return { endpoint: ready((server.address() as AddressInfo).port), server }
}

const ready = (port: number, more: Partial<ProxyEndpoint> = {}): ProxyEndpoint => ({
  ip: '127.0.0.1',
  port,
  ready: true,
  serving: true,
  terminating: false,
  ...more,
})

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.97.1.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const servicePort = (port: number, endpoints: readonly ProxyEndpoint[], more: Partial<ProxyServicePort> = {}): ProxyServicePort => ({
  id: 'default/web:http',
  namespace: 'default',
  service: 'web',
  portName: 'http',
  protocol: 'TCP',
  clusterIPs: ['127.97.1.1'],
  externalIPs: [],
  loadBalancerIPs: [],
  port,
  internalTrafficPolicy: 'Cluster',
  externalTrafficPolicy: 'Cluster',
  endpoints,
  ...more,
})

const state = (...ports: ProxyServicePort[]): ProxyState => ({ nodeName: 'n1', ports: new Map(ports.map((port) => [port.id, port])) })

function makeProxy(): UserspaceProxy {
  const proxy = new UserspaceProxy({ clock: systemClock, log: silentLog, nodePortAddress: '127.0.0.1' })
  closers.push(() => proxy.clear())
  return proxy
}

const get = (port: number, host = '127.97.1.1'): Promise<string> =>
  new Promise((resolve, reject) => {
    request({ host, port, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })

describe('UserspaceProxy', () => {
  it('spreads connections over ready endpoints', async () => {
    const [a, b] = [await backend('a'), await backend('b')]
    const port = await freePort()
    const proxy = makeProxy()
    await proxy.apply({ state: state(servicePort(port, [a.endpoint, b.endpoint, ready(1, { ready: false, serving: false })])) })
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(port)))
    expect(answers.filter((answer) => answer === 'a')).toHaveLength(10)
    expect(answers.filter((answer) => answer === 'b')).toHaveLength(10)
  })

  it('changes nothing when the same state is applied twice', async () => {
    const { endpoint } = await backend('a')
    const proxy = makeProxy()
    const wanted = state(servicePort(await freePort(), [endpoint]))
    expect((await proxy.apply({ state: wanted })).changes).toBe(1)
    expect((await proxy.apply({ state: wanted })).changes).toBe(0)
  })

  it('passes over an endpoint that refuses', async () => {
    const { endpoint } = await backend('alive')
    const port = await freePort()
    const proxy = makeProxy()
    await proxy.apply({ state: state(servicePort(port, [ready(await freePort()), endpoint])) })
    expect(await Promise.all(Array.from({ length: 6 }, () => get(port)))).toEqual(Array(6).fill('alive'))
  })

  it('resets connections while no endpoint is ready', async () => {
    const port = await freePort()
    const proxy = makeProxy()
    await proxy.apply({ state: state(servicePort(port, [])) })
    await expect(get(port)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('serves from terminating endpoints while there is no other', async () => {
    const { endpoint } = await backend('leaving')
    const port = await freePort()
    const proxy = makeProxy()
    await proxy.apply({ state: state(servicePort(port, [{ ...endpoint, ready: false, terminating: true }])) })
    expect(await get(port)).toBe('leaving')
  })

  it('lets open connections live when an endpoint leaves', async () => {
    const server = createTcpServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closers.push(() => server.close())
    const endpoint = ready((server.address() as AddressInfo).port)
    const other = await backend('new')
    const port = await freePort()
    const proxy = makeProxy()
    await proxy.apply({ state: state(servicePort(port, [endpoint])) })
    const client = connect(port, '127.97.1.1')
    closers.push(() => client.destroy())
    await once(client, 'connect')
    client.write('one')
    expect(String((await once(client, 'data'))[0])).toBe('one')
    await proxy.apply({ state: state(servicePort(port, [other.endpoint])), changed: new Set(['default/web:http']) })
    client.write('two')
    expect(String((await once(client, 'data'))[0])).toBe('two')
    expect(await get(port)).toBe('new')
  })

  it('keeps a client at its endpoint with session affinity', async () => {
    const backends = [await backend('a'), await backend('b'), await backend('c')]
    const port = await freePort()
    const proxy = makeProxy()
    await proxy.apply({
      state: state(
        servicePort(
          port,
          backends.map(({ endpoint }) => endpoint),
          { sessionAffinitySeconds: 60 },
        ),
      ),
    })
    expect(new Set(await Promise.all([get(port), get(port)])).size).toBeLessThanOrEqual(2)
    const answers = new Set<string>()
    for (let i = 0; i < 8; i++) answers.add(await get(port))
    expect(answers.size).toBe(1)
  })

  it('forwards UDP by flows, there and back', async () => {
    const echo = createSocket('udp4')
    echo.on('message', (message, from) => echo.send(`echo ${message}`, from.port, from.address))
    echo.bind(0, '127.0.0.1')
    await once(echo, 'listening')
    closers.push(() => echo.close())
    const port = await freePort()
    const proxy = makeProxy()
    await proxy.apply({ state: state(servicePort(port, [ready(echo.address().port)], { protocol: 'UDP' })) })
    const client = createSocket('udp4')
    closers.push(() => client.close())
    client.send('hi', port, '127.97.1.1')
    expect(String((await once(client, 'message'))[0])).toBe('echo hi')
  })

  it('says why it cannot listen, and listens once it can', async () => {
    const { endpoint } = await backend('a')
    const blocker = createTcpServer().listen(0, '127.97.1.1')
    await once(blocker, 'listening')
    const { port } = blocker.address() as AddressInfo
    const proxy = makeProxy()
    const wanted = state(servicePort(port, [endpoint]))
    expect((await proxy.apply({ state: wanted })).problems).toMatchObject([
      { id: 'default/web:http', reason: 'PortInUse', message: expect.stringContaining(`127.97.1.1:${port}/TCP`) },
    ])
    await new Promise((resolve) => blocker.close(resolve))
    expect((await proxy.apply({ state: wanted })).problems).toEqual([])
    expect(await get(port)).toBe('a')
  })

  it('gives an address to the service that waits for it as soon as another lets go of it', async () => {
    const [a, b] = [await backend('a'), await backend('b')]
    const port = await freePort()
    const proxy = makeProxy()
    const first = servicePort(port, [a.endpoint])
    const second = servicePort(port, [b.endpoint], { id: 'default/second:http', service: 'second' })
    expect((await proxy.apply({ state: state(first, second) })).problems).toMatchObject([
      { id: 'default/second:http', reason: 'PortInUse' },
    ])
    expect((await proxy.apply({ state: state(second), changed: new Set(['default/web:http']) })).problems).toEqual([])
    expect(await get(port)).toBe('b')
  })

  it('lets go of addresses of removed services, and of all on clear', async () => {
    const { endpoint } = await backend('a')
    const port = await freePort()
    const proxy = makeProxy()
    await proxy.apply({ state: state(servicePort(port, [endpoint])) })
    await proxy.apply({ state: state(), changed: new Set(['default/web:http']) })
    await expect(get(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await proxy.apply({ state: state(servicePort(port, [endpoint])) })
    await proxy.clear()
    await expect(get(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('listens on node ports', async () => {
    const { endpoint } = await backend('a')
    const proxy = makeProxy()
    const nodePort = await freePort()
    await proxy.apply({ state: state(servicePort(await freePort(), [endpoint], { nodePort })) })
    expect(await get(nodePort, '127.0.0.1')).toBe('a')
  })
})
