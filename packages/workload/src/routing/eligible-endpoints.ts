import type { ProxyEndpoint } from '../contracts/service-proxy.ts'

/** Where the traffic comes from. */
export interface RoutingPlace {
  readonly nodeName: string
  readonly zone?: string
}

/**
 * Endpoints that may get a new connection: those near, when each ready one carries a hint and some hint names this place (KEP-2433, KEP-3015);
 * of these the ready ones, and while there is none those that still serve while they terminate (KEP-1669). Pure.
 */
export function eligibleEndpoints(endpoints: readonly ProxyEndpoint[], place: RoutingPlace): readonly ProxyEndpoint[] {
  return upToDate(hinted(endpoints, place))
}

/** As {@link eligibleEndpoints}, of this node alone: what a `Local` traffic policy leaves. Hints have no say. */
export function localEndpoints(endpoints: readonly ProxyEndpoint[], nodeName: string): readonly ProxyEndpoint[] {
  return upToDate(endpoints.filter((endpoint) => endpoint.nodeName === nodeName))
}

function upToDate(endpoints: readonly ProxyEndpoint[]): readonly ProxyEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready)
  return ready.length > 0 ? ready : endpoints.filter((endpoint) => endpoint.serving && endpoint.terminating)
}

function hinted(endpoints: readonly ProxyEndpoint[], { nodeName, zone }: RoutingPlace): readonly ProxyEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready)
  if (ready.length === 0) return endpoints
  return near(ready, (endpoint) => endpoint.forNodes, nodeName) ?? near(ready, (endpoint) => endpoint.forZones, zone) ?? endpoints
}

/** Undefined when hints of this sort are not complete or do not name the place: then they must not be heeded. */
function near(
  ready: readonly ProxyEndpoint[],
  hints: (endpoint: ProxyEndpoint) => readonly string[] | undefined,
  place: string | undefined,
): readonly ProxyEndpoint[] | undefined {
  if (place === undefined || place === '' || ready.some((endpoint) => (hints(endpoint)?.length ?? 0) === 0)) return undefined
  const found = ready.filter((endpoint) => hints(endpoint)?.includes(place))
  return found.length > 0 ? found : undefined
}
