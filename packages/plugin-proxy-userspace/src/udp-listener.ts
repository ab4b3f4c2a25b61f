import { createSocket, type Socket } from 'node:dgram'
import type { Cancel, Clock } from '@continuo/core'
import type { ProxyEndpoint } from '@continuo/workload'
import { eligible } from './choose.ts'
import type { ListenAddress } from './listeners.ts'
import type { Listener, Route } from './route.ts'

const idleMs = 60_000
const maxFlows = 4_096

interface Flow {
  readonly upstream: Socket
  readonly endpoint: ProxyEndpoint
  lastUsed: number
  cancel: Cancel
}

/**
 * Forwards UDP by flows: one socket upstream for each client address, closed after a minute without datagrams, and at once when
 * its endpoint goes. At most 4,096 flows an address; the one that was used longest ago makes room.
 */
export async function listenUdp(address: ListenAddress, route: Route, clock: Clock): Promise<Listener> {
  const socket = createSocket({ type: address.ip.includes(':') ? 'udp6' : 'udp4' })
  const flows = new Map<string, Flow>()
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address: address.ip, port: address.port, exclusive: true }, () => {
      socket.off('error', reject)
      socket.on('error', () => {})
      resolve()
    })
  })
  socket.unref()

  const drop = (client: string): void => {
    const flow = flows.get(client)
    flows.delete(client)
    flow?.cancel()
    flow?.upstream.close()
  }
  const expire = (client: string): void => {
    const flow = flows.get(client)
    if (flow === undefined) return
    const left = flow.lastUsed + idleMs - clock.monotonic()
    if (left <= 0) drop(client)
    else flow.cancel = clock.after(left, () => expire(client))
  }
  const make = (client: string, host: string, port: number): Flow | undefined => {
    const endpoint = route.balancer.order(
      eligible(route.port, route.nodeName, route.external),
      host,
      route.port.sessionAffinitySeconds,
      clock.now(),
    )[0]
    if (endpoint === undefined) return undefined
    route.balancer.stick(endpoint, host, route.port.sessionAffinitySeconds, clock.now())
    if (flows.size >= maxFlows) drop(flows.keys().next().value as string)
    const upstream = createSocket({ type: endpoint.ip.includes(':') ? 'udp6' : 'udp4' })
    upstream.unref()
    upstream.on('error', () => {
      if (flows.get(client) === flow) drop(client)
    })
    upstream.on('message', (message) => socket.send(message, port, host))
    const flow: Flow = { upstream, endpoint, lastUsed: clock.monotonic(), cancel: clock.after(idleMs, () => expire(client)) }
    flows.set(client, flow)
    return flow
  }

  socket.on('message', (message, from) => {
    const client = `${from.address}/${from.port}`
    let flow = flows.get(client)
    if (
      flow !== undefined &&
      !route.port.endpoints.some(
        (endpoint) => endpoint.ip === flow?.endpoint.ip && endpoint.port === flow.endpoint.port && (endpoint.ready || endpoint.serving),
      )
    ) {
      drop(client)
      flow = undefined
    }
    flow ??= make(client, from.address, from.port)
    if (flow === undefined) return
    flow.lastUsed = clock.monotonic()
    // In the order of use: the first is the one that makes room.
    flows.delete(client)
    flows.set(client, flow)
    flow.upstream.send(message, flow.endpoint.port, flow.endpoint.ip)
  })

  return {
    close: () =>
      new Promise((resolve) => {
        for (const client of [...flows.keys()]) drop(client)
        socket.close(() => resolve())
      }),
  }
}
