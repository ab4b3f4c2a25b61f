// The name server over an index of services, and the floor beside it: a bare dgram socket that sends each datagram back.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createMetrics, silentLog, systemClock, systemRandom } from '../../packages/core/src/index.ts'
import { Forwarder } from '../../packages/plugin-dns/src/forward/forwarder.ts'
import { DnsServer } from '../../packages/plugin-dns/src/server/dns-server.ts'
import { Responder } from '../../packages/plugin-dns/src/server/responder.ts'
import { Zone } from '../../packages/plugin-dns/src/zone/zone.ts'
import { ZoneIndex } from '../../packages/plugin-dns/src/zone/zone-index.ts'
import type { EndpointSlice, Service } from '../../packages/workload/src/index.ts'
import { cpuMicros, serve } from './child.ts'

const domain = 'cluster.local'

const address = (network: number, host: number): string => `${network}.${(host >> 16) & 255}.${(host >> 8) & 255}.${host & 255}`

/** The slice of a service; another round gives its endpoints other addresses. */
const sliceOf = (at: number, round: number): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'shop', name: `s${at}-1`, labels: { 'kubernetes.io/service-name': `s${at}` } },
  addressType: 'IPv4',
  endpoints: [0, 1, 2].map((i) => ({ addresses: [address(11 + round, at * 3 + i)], hostname: `h${i}`, conditions: { ready: true } })),
  ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
})

function filled(services: number): ZoneIndex {
  const index = new ZoneIndex(domain)
  index.setNamespace('shop', true)
  for (let at = 0; at < services; at++) {
    const metadata = { namespace: 'shop', name: `s${at}` }
    const headless = at % 2 === 1
    const clusterIP = headless ? 'None' : address(10, at + 1)
    const spec = { clusterIP, clusterIPs: [clusterIP], ports: [{ name: 'http', protocol: 'TCP', port: 80 }] }
    index.setService('shop', `s${at}`, { apiVersion: 'v1', kind: 'Service', metadata, spec } as Service)
    index.setSlice(undefined, sliceOf(at, 0))
  }
  return index
}
let socket: Socket | undefined
let server: DnsServer | undefined

serve({
  async echo() {
    const echo = createSocket('udp4').bind(0, '127.0.0.1')
    await once(echo, 'listening')
    echo.setRecvBufferSize(1024 * 1024)
    echo.on('message', (message, from) => echo.send(message, from.port, from.address, () => {}))
    socket = echo
    return echo.address().port
  },
  async dns(services: number) {
    const metrics = createMetrics()
    const requests = metrics.counter('dns_requests_total', '.', ['proto'])
    const responses = metrics.counter('dns_responses_total', '.', ['rcode', 'from'])
    const forwarder = new Forwarder({
      upstreams: [],
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      timeoutMs: 1_000,
      maxInFlight: 1,
      cache: { entries: 0, bytes: 0, maxTtl: 0, maxNegativeTtl: 0 },
      udpBytes: 1_232,
    })
    const zone = new Zone({
      domain,
      index: filled(services),
      ttl: 5,
      negativeTtl: 5,
      pods: 'insecure',
      hasPod: () => false,
      serverAddresses: [],
      firstSerial: 1,
    })
    const responder = new Responder({
      zone,
      forwarder,
      random: systemRandom,
      ownsReverse: () => false,
      udpBytes: 1_232,
      answered: (rcode, from) => responses.inc({ rcode: String(rcode), from }),
    })
    server = new DnsServer({
      clock: systemClock,
      respond: (message, proto) => {
        requests.inc({ proto })
        return responder.respond(message, proto)
      },
      perSourceRate: 0,
      mostConnections: 1,
      idleMs: 1_000,
      dropped: () => {},
    })
    return server.listen({ host: '127.0.0.1', port: 0 })
  },
  /** Microseconds of CPU for one changed slice. */
  changes({ services, count }: { services: number; count: number }) {
    const index = filled(services)
    const before = cpuMicros()
    for (let at = 0; at < count; at++) {
      const round = Math.floor(at / services) % 2
      index.setSlice(sliceOf(at % services, round), sliceOf(at % services, 1 - round))
    }
    return (cpuMicros() - before) / count
  },
  async close() {
    socket?.close()
    await server?.close()
  },
})
