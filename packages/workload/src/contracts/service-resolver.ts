import { capability } from '@continuo/core'

/** Where the control plane reaches a Service: for whoever calls into the cluster, such as webhooks. */
export interface ServiceResolver {
  /**
   * An address and port that answer now; another one each time where there are several. Synchronous and from memory.
   * Throws `ApiError` (404 or 503) that says why nobody answers.
   */
  resolve(service: { readonly namespace: string; readonly name: string; readonly port: number }): {
    readonly host: string
    readonly port: number
  }
}

export const ServiceResolverCap = capability<ServiceResolver>('service-resolver/v1')
