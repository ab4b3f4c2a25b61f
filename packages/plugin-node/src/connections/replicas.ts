import type { DeepReadonly } from '@continuo/core'
import type { EndpointSlice } from '@continuo/workload'

/** Replicas that one agent connects to. A control plane has a few; more are surely a mistake of whoever writes the slices. */
const maxReplicas = 32

/** The service by which programs find the API, and its slices. */
export const apiService = { namespace: 'default', labelSelector: 'kubernetes.io/service-name=kubernetes' } as const

/**
 * Origins of every live replica of the API, as the service `kubernetes` says; that by which the agent joined when it says nothing. Pure.
 */
export function replicaOrigins(slices: readonly DeepReadonly<EndpointSlice>[], joined: string): readonly string[] {
  const origins = slices.flatMap(({ endpoints, ports }) =>
    (ports ?? []).flatMap(({ name, port }) =>
      port === undefined
        ? []
        : (endpoints ?? [])
            .filter(({ conditions }) => conditions?.ready !== false)
            .flatMap(({ addresses }) =>
              addresses.map(
                (address) => `${name === 'http' ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${port}`,
              ),
            ),
    ),
  )
  // A replica that says it is on its own loopback is not found there by other machines.
  const found = isLoopback(joined) ? origins : origins.filter((origin) => !isLoopback(origin))
  return found.length === 0 ? [new URL(joined).origin] : [...new Set(found)].sort().slice(0, maxReplicas)
}

const isLoopback = (url: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)
