import { ApiError, type DeepReadonly } from '@continuo/core'
import type { EndpointSlice, Service } from '@continuo/workload'

interface Place {
  readonly host: string
  readonly port: number
}

/**
 * An address behind a port of a service: one of its ready endpoints; its cluster IP when nobody says what is behind it; the name of an external one.
 * `pick` chooses one of so many. Pure. Throws 404 and 503.
 */
export function chooseEndpoint(
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  port: number,
  pick: (count: number) => number,
): Place {
  const { name } = service.metadata
  const { spec } = service
  if (spec?.type === 'ExternalName' && spec.externalName) return { host: spec.externalName, port }
  const servicePort = spec?.ports?.find((candidate) => candidate.port === port)
  if (servicePort === undefined)
    throw new ApiError('ServiceUnavailable', `no service port ${port} found for service ${JSON.stringify(name)}`)
  const places = slices.flatMap((slice) => placesOf(slice, servicePort.name ?? ''))
  const chosen = places[pick(places.length)]
  if (chosen !== undefined) return chosen
  const clusterIp = spec?.clusterIP
  if (slices.length === 0 && Object.keys(spec?.selector ?? {}).length === 0 && clusterIp && clusterIp !== 'None')
    return { host: clusterIp, port }
  throw new ApiError('ServiceUnavailable', `no endpoints available for service ${JSON.stringify(name)}`)
}

function placesOf({ endpoints, ports }: DeepReadonly<EndpointSlice>, portName: string): Place[] {
  const port = ports?.find((candidate) => (candidate.name ?? '') === portName && (candidate.protocol ?? 'TCP') === 'TCP')?.port
  if (port === undefined) return []
  return (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => addresses.slice(0, 1).map((host) => ({ host, port })))
}
