import { ApiError, type DeepReadonly } from '@continuo/core'
import type { EndpointSlice, Pod, Service } from '@continuo/workload'

type ServicePort = NonNullable<NonNullable<DeepReadonly<Service>['spec']>['ports']>[number]

/** One place where a service is. */
export interface Endpoint {
  readonly address: string
  readonly port: number
  /** The pod that is there, if a pod is. */
  readonly pod?: { readonly namespace: string; readonly name: string }
}

/** The port of the service that is meant by name or number; empty means the only one. Throws 400. Pure. */
export function portOf(service: DeepReadonly<Service>, asked: number | string): ServicePort {
  const ports = service.spec?.ports ?? []
  const [only] = ports
  if (asked === '' && ports.length === 1 && only !== undefined) return only
  const found = ports.find(({ name, port }) => (name !== undefined && name !== '' && name === asked) || String(port) === String(asked))
  if (found === undefined)
    throw new ApiError(
      'BadRequest',
      `no service port ${JSON.stringify(String(asked))} found for service ${JSON.stringify(service.metadata.name)}`,
    )
  return found
}

/** Every ready endpoint of one port of a service. Pure. */
export function readyEndpoints(slices: readonly DeepReadonly<EndpointSlice>[], { name = '' }: ServicePort): readonly Endpoint[] {
  return slices.flatMap(({ endpoints, ports, metadata }) => {
    const port = ports?.find((one) => (one.name ?? '') === name)?.port
    if (port === undefined) return []
    return (endpoints ?? []).flatMap(({ addresses, conditions, targetRef }) => {
      const [address] = addresses
      if (conditions?.ready === false || address === undefined) return []
      const pod =
        targetRef?.kind === 'Pod' && targetRef.name !== undefined
          ? { pod: { namespace: targetRef.namespace ?? metadata.namespace ?? '', name: targetRef.name } }
          : {}
      return [{ address, port, ...pod }]
    })
  })
}

/** The number of a port of a pod that is meant by name or number; empty means that of its first container that has one, else 80. Throws 400. Pure. */
export function podPortOf(pod: DeepReadonly<Pod>, asked: string): number {
  const ports = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? [])
  if (asked === '') return ports[0]?.containerPort ?? 80
  if (/^\d{1,5}$/.test(asked)) {
    const port = Number(asked)
    if (port >= 1 && port <= 65_535) return port
  }
  const named = ports.find(({ name }) => name === asked)
  if (named === undefined) throw new ApiError('BadRequest', `pod ${JSON.stringify(pod.metadata.name)} has no port ${JSON.stringify(asked)}`)
  return named.containerPort
}
