import { connect, createServer, type Socket } from 'node:net'
import type { Clock } from '@continuo/core'
import type { ProxyEndpoint } from '@continuo/workload'
import { eligible } from './choose.ts'
import type { ListenAddress } from './listeners.ts'
import type { Listener, Route } from './route.ts'

const connectTimeoutMs = 1_000

/**
 * Forwards TCP with half-close in both directions. An endpoint that refuses or does not answer within a second is passed over
 * for the next one, so a client notices a dead endpoint only when all are dead: then its connection is reset.
 */
export async function listenTcp(address: ListenAddress, route: Route, clock: Clock, open: Set<Socket>): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
    open.add(client)
    client.on('close', () => open.delete(client))
    client.on('error', () => {})
    forward(client, route, clock)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address.ip, port: address.port, backlog: 1_024 }, () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve()
    })
  })
  server.unref()
  // The listening socket closes at once; connections that are open go on, so nobody waits for them here.
  return {
    close: () => {
      server.close()
      return Promise.resolve()
    },
  }
}

function forward(client: Socket, route: Route, clock: Clock): void {
  const { port } = route
  const from = client.remoteAddress ?? ''
  const candidates = route.balancer.order(eligible(port, route.nodeName, route.external), from, port.sessionAffinitySeconds, clock.now())
  const attempt = (index: number): void => {
    const endpoint = candidates[index]
    if (endpoint === undefined || client.destroyed) {
      client.resetAndDestroy()
      return
    }
    dial(endpoint, clock, (upstream) => {
      if (upstream === undefined) return attempt(index + 1)
      route.balancer.stick(endpoint, from, port.sessionAffinitySeconds, clock.now())
      join(client, upstream)
    })
  }
  attempt(0)
}

function dial(endpoint: ProxyEndpoint, clock: Clock, done: (socket: Socket | undefined) => void): void {
  const upstream = connect({ host: endpoint.ip, port: endpoint.port, allowHalfOpen: true, noDelay: true })
  const finish = (socket: Socket | undefined): void => {
    cancel()
    upstream.off('error', failed)
    if (socket === undefined) upstream.on('error', () => {}).destroy()
    done(socket)
  }
  const failed = (): void => finish(undefined)
  const cancel = clock.after(connectTimeoutMs, failed)
  upstream.once('connect', () => finish(upstream))
  upstream.once('error', failed)
}

function join(client: Socket, upstream: Socket): void {
  const abort = (): void => {
    client.resetAndDestroy()
    upstream.resetAndDestroy()
  }
  upstream.on('error', abort)
  client.on('error', abort)
  if (client.destroyed) {
    upstream.destroy()
    return
  }
  client.on('close', () => upstream.destroy())
  upstream.on('close', () => client.destroySoon())
  client.pipe(upstream)
  upstream.pipe(client)
}
