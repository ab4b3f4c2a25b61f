import { ApiError, type Clock, type DeepReadonly, isApiError, type ObjectClient, type ObjectKey, type Random } from '@continuo/core'
import { type ClusterConnection, type ClusterDialer, EndpointSlice, type NodeDialer, Pod, Service } from '@continuo/workload'
import { portOf, readyEndpoints } from './choose-endpoint.ts'
import { isProxyable } from './proxyable-address.ts'
import { dialAddress, tunnel } from './tunnel.ts'

export interface ClusterDialingOptions {
  readonly client: ObjectClient
  readonly random: Random
  readonly clock: Clock
  readonly nodes: NodeDialer | undefined
  /** Addresses of this machine may be dialled: endpoints without pods, and services of the type ExternalName. */
  readonly allowLoopback: boolean
}

const unavailable = (message: string, cause?: unknown): ApiError =>
  isApiError(cause) ? cause : new ApiError('ServiceUnavailable', message, { retryAfterSeconds: 1 }, { cause })

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Dials pods through their nodes, and endpoints of services. */
export class ClusterDialing implements ClusterDialer {
  readonly #options: ClusterDialingOptions

  constructor(options: ClusterDialingOptions) {
    this.#options = options
  }

  async pod(key: ObjectKey, port: number, signal: AbortSignal): Promise<ClusterConnection> {
    const pod = await this.#options.client.for(Pod).get(key)
    return this.toPod(pod as DeepReadonly<Pod>, port, signal)
  }

  async service(key: ObjectKey, port: number | string, signal: AbortSignal): Promise<ClusterConnection> {
    const { client, random } = this.#options
    const service = (await client.for(Service).get(key)) as DeepReadonly<Service>
    if (service.spec?.type === 'ExternalName') return this.#external(service.spec.externalName ?? '', Number(port), signal)
    const wanted = portOf(service, port)
    const { items } = await client
      .for(EndpointSlice)
      .list({ namespace: key.namespace, labelSelector: `kubernetes.io/service-name=${key.name}` })
    const endpoints = readyEndpoints(items as readonly DeepReadonly<EndpointSlice>[], wanted)
    if (endpoints.length === 0) throw unavailable(`no endpoints available for service ${JSON.stringify(key.name)}`)
    const { address, port: number, pod } = endpoints[Math.floor(random.next() * endpoints.length)] as (typeof endpoints)[number]
    return pod === undefined ? this.toAddress(address, number, signal) : this.pod(pod, number, signal)
  }

  /** A pod on the node's own network is reached by the node's address; any other through its node. */
  async toPod(pod: DeepReadonly<Pod>, port: number, signal: AbortSignal): Promise<ClusterConnection> {
    const { name, namespace = '' } = pod.metadata
    const node = pod.spec?.nodeName
    if (node === undefined || node === '') throw new ApiError('BadRequest', `pod ${name} does not have a host assigned`)
    if (pod.spec?.hostNetwork === true) return this.toAddress(pod.status?.podIP ?? '', port, signal)
    const address = `${name}:${port}`
    const { nodes } = this.#options
    if (nodes === undefined) throw unavailable(`node ${node} is not connected to this server`)
    try {
      const stream = await nodes.dial(node, signal)
      const path = `/dial/${encodeURIComponent(namespace)}/${encodeURIComponent(name ?? '')}?port=${port}`
      return { stream: await tunnel(stream, path, signal), address }
    } catch (error) {
      throw unavailable(`error trying to reach service: dial ${address}: ${reasonOf(error)}`, error)
    }
  }

  /** Only addresses, and none of this machine or its links. */
  async toAddress(host: string, port: number, signal: AbortSignal): Promise<ClusterConnection> {
    if (!this.#mayDial(host)) throw new ApiError('BadRequest', `address not allowed: ${JSON.stringify(host)} cannot be proxied to`)
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    try {
      return { stream: await dialAddress(host, port, this.#options.clock, signal), address }
    } catch (error) {
      throw unavailable(`error trying to reach service: dial tcp ${address}: ${reasonOf(error)}`, error)
    }
  }

  #mayDial(address: string): boolean {
    return isProxyable(address) || (this.#options.allowLoopback && /^(127\.|::1$)/.test(address))
  }

  /** The name is looked up once, and what was checked is what is dialled. */
  async #external(name: string, port: number, signal: AbortSignal): Promise<ClusterConnection> {
    const { lookup } = await import('node:dns/promises')
    const addresses = await lookup(name, { all: true }).catch((error: unknown) => {
      throw unavailable(`error trying to reach service: ${reasonOf(error)}`, error)
    })
    const allowed = addresses.find(({ address }) => this.#mayDial(address))
    return this.toAddress((allowed ?? addresses[0])?.address ?? '', port, signal)
  }
}
