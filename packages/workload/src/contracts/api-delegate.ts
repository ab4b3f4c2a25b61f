import { type Caller, capability } from '@continuo/core'
import type { ConnectTarget } from './api-connect.ts'

/** An entry of the list of resources of a group version, as the server that answers for it tells it. */
export interface DelegatedResource {
  /** `flunders`, or `flunders/status`. */
  readonly name: string
  readonly singularName?: string
  readonly namespaced: boolean
  readonly kind: string
  /** Where they differ from those of the list. */
  readonly group?: string
  readonly version?: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly storageVersionHash?: string
}

/** A group version that another server answers. */
export interface DelegatedVersion {
  readonly group: string
  readonly version: string
  readonly resources: readonly DelegatedResource[]
  /** `Stale`: the server could not be asked lately, and this is what it said last. */
  readonly freshness: 'Current' | 'Stale'
}

/** A request that is to go on to another server. */
export interface DelegatedRequest {
  readonly group: string
  readonly version: string
  /** Path and query, percent-encoded, as the client sent them. */
  readonly url: string
  readonly caller: Caller
}

/** Knows which group versions other servers answer, and the way there. */
export interface ApiDelegate {
  /** PEM of the authority that signed the client certificate of such requests: by it other servers know that the identity in them is true. */
  readonly frontProxyAuthority: string
  /** Asked for every request: must be cheap. */
  has(group: string, version: string): boolean
  /** Where the request goes. Throws `ApiError` ServiceUnavailable when the server is known to be down. */
  target(request: DelegatedRequest): ConnectTarget
  /** What discovery tells about them. */
  versions(): readonly DelegatedVersion[]
  /** Changes with everything that {@link versions} and {@link openApi} tell. */
  readonly generation: number
  /** OpenAPI 2.0 documents of the servers that have one, parsed; with what `paths` of each are asked for. */
  openApi(): readonly { readonly group: string; readonly version: string; readonly document: Readonly<Record<string, unknown>> }[]
  /** The OpenAPI 3.0 document of a group version, as the server sends it; undefined when it has none. Throws `ApiError`. */
  openApiV3(group: string, version: string): Promise<Uint8Array | undefined>
}

export const ApiDelegateCap = capability<ApiDelegate>('api-delegate/v1')
