import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { DeepReadonly } from '@continuo/core'
import {
  type ClusterConnection,
  type ConnectHandler,
  type ConnectRequest,
  type ConnectTarget,
  type Pod,
  parseProxiedName,
} from '@continuo/workload'
import { podPortOf } from './choose-endpoint.ts'
import type { ClusterDialing } from './cluster-dialing.ts'

const upgrades = ['websocket', 'spdy/3.1']

/** TLS over the stream. Whose certificate it is was never said, so it is not looked at, as in Kubernetes. */
function secured(stream: Duplex): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ socket: stream, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    socket.once('secureConnect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
    stream.once('close', () => socket.destroy())
  })
}

/** Path below which clients see the proxied server, as the request named it. */
const prefixOf = ({ ref, asked }: ConnectRequest): string =>
  `/api/${ref.version}/namespaces/${ref.namespace}/${ref.resource}/${asked}/proxy`

function targetOf(request: ConnectRequest, dial: (signal: AbortSignal) => Promise<ClusterConnection>): ConnectTarget {
  const { rest, query, asked } = request
  const { scheme, name } = parseProxiedName(asked)
  const path = rest === '' ? '/' : rest
  return {
    async open(signal) {
      const { stream } = await dial(signal)
      return scheme === 'https' ? secured(stream) : stream
    },
    path: query.size === 0 ? path : `${path}?${query}`,
    host: name,
    upgrades,
    transparent: true,
    prefix: prefixOf(request),
  }
}

/** Handlers of `pods/proxy` and `services/proxy`, by `group/plural/subresource`. */
export const proxyHandlers = (dialing: ClusterDialing): ReadonlyMap<string, ConnectHandler> =>
  new Map<string, ConnectHandler>([
    [
      '/pods/proxy',
      {
        connect(request) {
          const pod = request.object as unknown as DeepReadonly<Pod>
          const port = podPortOf(pod, parseProxiedName(request.asked).port)
          return targetOf(request, (signal) => dialing.toPod(pod, port, signal))
        },
      },
    ],
    [
      '/services/proxy',
      {
        connect(request) {
          const { namespace, name } = request.ref
          return targetOf(request, (signal) => dialing.service({ namespace, name }, parseProxiedName(request.asked).port, signal))
        },
      },
    ],
  ])
