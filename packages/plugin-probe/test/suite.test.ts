import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { type OpenedProber, type ProbeScenario, probeSuite } from '@continuo/testkit'
import type { Prober, ProbeTarget } from '@continuo/workload'
import { execProbe, httpProbe, tcpProbe } from '../src/index.ts'

const target = (handler: Record<string, unknown>, more: Partial<ProbeTarget> = {}): ProbeTarget => ({
  podIP: '127.0.0.1',
  handler,
  port: (port) => (typeof port === 'number' ? port : undefined),
  exec: async () => ({ exitCode: 0, output: '' }),
  ...more,
})

/** A prober and servers on free ports. */
function opening(prober: Prober, find: (scenario: ProbeScenario, listen: (server: Server) => Promise<number>) => Promise<ProbeTarget>) {
  return async (): Promise<OpenedProber> => {
    const servers: Server[] = []
    const listen = async (server: Server): Promise<number> => {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      servers.push(server)
      return (server.address() as AddressInfo).port
    }
    return {
      prober,
      target: (scenario) => find(scenario, listen),
      dispose: async () => {
        for (const server of servers) server.close()
      },
    }
  }
}

probeSuite(
  'httpGet',
  opening(httpProbe, async (scenario, listen) => {
    if (scenario === 'unprobeable') return target({ port: 'no-such-name' })
    if (scenario === 'silent') return target({ port: await listen(createTcpServer((socket) => socket.on('error', () => {}))) })
    const port = await listen(createServer((_, response) => response.writeHead(scenario === 'well' ? 200 : 500).end()))
    return target({ port, path: '/healthz' })
  }),
)

probeSuite(
  'tcpSocket',
  opening(tcpProbe, async (scenario, listen) => {
    if (scenario === 'unprobeable') return target({ port: 'no-such-name' })
    // An address of the documentation range: nothing answers, or the network says so at once.
    if (scenario === 'silent') return target({ host: '192.0.2.1', port: 80 })
    const server = createTcpServer((socket) => socket.on('error', () => {}))
    const port = await listen(server)
    if (scenario === 'unwell') await new Promise((resolve) => server.close(resolve))
    return target({ port })
  }),
)

probeSuite(
  'exec',
  opening(execProbe, async (scenario) =>
    target(
      { command: ['check'] },
      {
        exec: async () => {
          // A runtime that does not listen to the signal: the prober must give up all the same.
          if (scenario === 'silent') return new Promise(() => {})
          if (scenario === 'unprobeable') throw new TypeError('no such container')
          return { exitCode: scenario === 'well' ? 0 : 1, output: scenario === 'well' ? 'ok' : '' }
        },
      },
    ),
  ),
)
