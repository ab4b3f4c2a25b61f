import type { ProxyEndpoint, ProxyServicePort } from '@continuo/workload'

/**
 * Endpoints that may get a new connection: the ready ones; when there are none, those that still serve while they terminate
 * (KEP-1669). A `Local` policy leaves those of this node. Pure.
 */
export function eligible(port: ProxyServicePort, nodeName: string, external: boolean): readonly ProxyEndpoint[] {
  const policy = external ? port.externalTrafficPolicy : port.internalTrafficPolicy
  const near = policy === 'Local' ? port.endpoints.filter((endpoint) => endpoint.nodeName === nodeName) : port.endpoints
  const ready = near.filter((endpoint) => endpoint.ready)
  return ready.length > 0 ? ready : near.filter((endpoint) => endpoint.serving && endpoint.terminating)
}

/** Chooses endpoints in turn, and the same one again for a client with session affinity. Bounded: 10,000 clients a port. */
export class Balancer {
  #turn = 0
  readonly #affinity = new Map<string, { readonly endpoint: string; readonly until: number }>()

  /** Endpoints in the order in which to try them: the chosen one first. */
  order(endpoints: readonly ProxyEndpoint[], client: string, affinitySeconds: number | undefined, now: number): readonly ProxyEndpoint[] {
    if (endpoints.length === 0) return []
    const start = this.#turn++ % endpoints.length
    const rotated = [...endpoints.slice(start), ...endpoints.slice(0, start)]
    if (affinitySeconds === undefined) return rotated
    const known = this.#affinity.get(client)
    const index =
      known === undefined || known.until < now ? -1 : rotated.findIndex((endpoint) => `${endpoint.ip}:${endpoint.port}` === known.endpoint)
    return index <= 0 ? rotated : [rotated[index] as ProxyEndpoint, ...rotated.filter((_, other) => other !== index)]
  }

  /** The client was connected to this endpoint. */
  stick(endpoint: ProxyEndpoint, client: string, affinitySeconds: number | undefined, now: number): void {
    if (affinitySeconds === undefined) return
    this.#affinity.delete(client)
    this.#affinity.set(client, { endpoint: `${endpoint.ip}:${endpoint.port}`, until: now + affinitySeconds * 1_000 })
    if (this.#affinity.size > 10_000) this.#affinity.delete(this.#affinity.keys().next().value as string)
  }
}
