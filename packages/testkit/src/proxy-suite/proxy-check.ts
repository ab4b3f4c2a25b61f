import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { ContinuoError } from '@continuo/core'
import type { ProxyEndpoint, ProxyServicePort, ProxyState, ServiceProxy } from '@continuo/workload'
import { ask, Sockets } from './sockets.ts'

/** A proxy that routes nothing yet, on this machine: checks reach its services from this process. */
export interface OpenedProxy {
  readonly proxy: ServiceProxy
  /** Addresses that services may have; at least two. */
  readonly clusterIPs: readonly [string, string, ...string[]]
  /** An address at which node ports answer. */
  readonly nodeAddress: string
  /** A port that somebody else holds is a problem for this proxy. False where rules of the kernel go before sockets. */
  readonly needsPorts: boolean
  /** Where backends of checks listen. Default: 127.0.0.1, which kernels route for nobody else. */
  readonly backendAddress?: string
  dispose(): Promise<void>
}

/** One duty of every service proxy. `run` throws when the proxy neglects it. */
export interface ProxyCheck {
  readonly name: string
  applies?(opened: OpenedProxy): boolean
  run(bench: ProxyBench): Promise<void>
}

export async function runProxyCheck(check: ProxyCheck, open: () => Promise<OpenedProxy>): Promise<void> {
  const opened = await open()
  const bench = new ProxyBench(opened)
  try {
    if (check.applies?.(opened) !== false) await check.run(bench)
  } finally {
    bench.sockets.close()
    await opened.dispose()
  }
}

/** What one check works with. */
export class ProxyBench {
  readonly opened: OpenedProxy
  readonly proxy: ServiceProxy
  readonly sockets: Sockets
  readonly ip: string

  constructor(opened: OpenedProxy) {
    this.opened = opened
    this.proxy = opened.proxy
    this.sockets = new Sockets(opened.backendAddress ?? '127.0.0.1')
    this.ip = opened.clusterIPs[0]
  }

  /** A port of a service's address that was free a moment ago. */
  async freePort(ip = this.ip): Promise<number> {
    const server = createServer().listen(0, ip)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    return port
  }

  service(name: string, port: number, endpoints: readonly ProxyEndpoint[], more: Partial<ProxyServicePort> = {}): ProxyServicePort {
    return {
      id: `suite/${name}:http`,
      namespace: 'suite',
      service: name,
      portName: 'http',
      protocol: 'TCP',
      clusterIPs: [this.ip],
      externalIPs: [],
      loadBalancerIPs: [],
      port,
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
      endpoints,
      ...more,
    }
  }

  state(...ports: readonly ProxyServicePort[]): ProxyState {
    return { nodeName: 'here', ports: new Map(ports.map((port) => [port.id, port])) }
  }

  /** Applies these services and nothing else; with `changed` as a change of these alone. */
  apply(ports: readonly ProxyServicePort[], changed?: readonly string[]) {
    const state = this.state(...ports)
    return this.proxy.apply(changed === undefined ? { state } : { state, changed: new Set(changed.map((name) => `suite/${name}:http`)) })
  }

  ask(port: number, ip = this.ip): Promise<string> {
    return ask(ip, port)
  }

  /** Names of the backends that answer so many connections, each once, in order. */
  async answers(port: number, count: number, ip = this.ip): Promise<readonly string[]> {
    const names = new Set<string>()
    for (let index = 0; index < count; index++) names.add(await this.ask(port, ip))
    return [...names].sort()
  }

  /** The connection must be refused or reset. */
  async unreachable(port: number, ip = this.ip): Promise<void> {
    const name = await this.ask(port, ip).catch(() => undefined)
    if (name !== undefined) throw new ContinuoError('CHECK_FAILED', `${ip}:${port} must not be reachable, and ${name} answered`)
  }
}
