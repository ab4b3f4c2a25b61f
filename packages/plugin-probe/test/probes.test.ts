import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import type { ProbeTarget } from '@continuo/workload'
import { afterEach, describe, expect, it } from 'vitest'
import { execProbe, httpProbe, tcpProbe } from '../src/index.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listen<S extends Server>(server: S): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return (server.address() as AddressInfo).port
}

const target = (handler: Record<string, unknown>, more: Partial<ProbeTarget> = {}): ProbeTarget => ({
  podIP: '127.0.0.1',
  handler,
  port: (port) => (typeof port === 'number' ? port : undefined),
  exec: async () => ({ exitCode: 0, output: '' }),
  ...more,
})

const patient = (): AbortSignal => AbortSignal.timeout(5_000)

describe('httpGet', () => {
  it.each([
    [200, 'success'],
    [302, 'success'],
    [404, 'failure'],
    [503, 'failure'],
  ] as const)('takes status %i for %s', async (status, outcome) => {
    const port = await listen(
      createServer((_, response) => response.writeHead(status, status === 302 ? { location: 'http://192.0.2.1/' } : {}).end()),
    )
    const result = await httpProbe.run(target({ port, path: '/healthz' }), patient())
    expect(result.outcome).toBe(outcome)
    if (outcome === 'failure') expect(result.message).toBe(`HTTP probe failed with statuscode: ${status}`)
  })

  it('follows redirects on the same host, and no further than ten times', async () => {
    const port = await listen(
      createServer((request, response) => {
        const step = Number(request.url?.slice(1))
        if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end()
        else response.writeHead(step < 3 ? 302 : 503, step < 3 ? { location: `/${step + 1}` } : {}).end()
      }),
    )
    expect(await httpProbe.run(target({ port, path: '/0' }), patient())).toEqual({
      outcome: 'failure',
      message: 'HTTP probe failed with statuscode: 503',
    })
    expect((await httpProbe.run(target({ port, path: '/loop' }), patient())).message).toContain('stopped after 10 redirects')
  })

  it('sends path and headers', async () => {
    let seen = ''
    const port = await listen(
      createServer((request, response) => {
        seen = `${request.url} ${request.headers['x-probe']} ${request.headers['user-agent']}`
        response.end()
      }),
    )
    await httpProbe.run(target({ port, path: '/a?b=c', httpHeaders: [{ name: 'X-Probe', value: 'yes' }] }), patient())
    expect(seen).toBe('/a?b=c yes kube-probe/1.36')
  })

  it('fails when nothing listens, and when no answer comes in time', async () => {
    const port = await listen(createTcpServer())
    expect((await httpProbe.run(target({ port }), AbortSignal.timeout(50))).message).toContain('context deadline exceeded')
    servers.pop()?.close()
    expect((await httpProbe.run(target({ port }), patient())).outcome).toBe('failure')
  })

  it('is unknown when the port has no such name', async () => {
    expect(await httpProbe.run(target({ port: 'web' }), patient())).toMatchObject({
      outcome: 'unknown',
      message: expect.stringContaining('"web"'),
    })
  })
})

describe('tcpSocket', () => {
  it('succeeds when a connection opens and fails when it is refused', async () => {
    const server = createTcpServer((socket) => socket.on('error', () => {}))
    const port = await listen(server)
    expect((await tcpProbe.run(target({ port }), patient())).outcome).toBe('success')
    servers.pop()
    await new Promise((resolve) => server.close(resolve))
    expect(await tcpProbe.run(target({ port }), patient())).toMatchObject({
      outcome: 'failure',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

describe('exec', () => {
  it('goes by the exit code and shows the output', async () => {
    const run = (exitCode: number, output: string) =>
      execProbe.run(target({ command: ['check'] }, { exec: async () => ({ exitCode, output }) }), patient())
    expect(await run(0, 'ok')).toEqual({ outcome: 'success', message: 'ok' })
    expect(await run(1, 'no disk\n')).toEqual({ outcome: 'failure', message: 'no disk' })
  })

  it('fails when the command takes too long, and is unknown when it cannot run', async () => {
    const slow = target(
      { command: ['sleep'] },
      { exec: (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))) },
    )
    expect(await execProbe.run(slow, AbortSignal.timeout(20))).toMatchObject({
      outcome: 'failure',
      message: expect.stringContaining('timed out'),
    })
    const broken = target({ command: ['x'] }, { exec: () => Promise.reject(new TypeError('no such container')) })
    expect(await execProbe.run(broken, patient())).toEqual({ outcome: 'unknown', message: 'no such container' })
  })
})
