import { capability } from '@continuo/core'

/** What TLS needs to reach the API and to say who asks, PEM. */
export interface RemoteApiTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Name that the server's certificate must bear, when it is not the host of the URL. */
  readonly servername?: string
}

/** How this host reaches an API elsewhere: for plugins with connections of their own. */
export interface RemoteApi {
  /** URL of the API, as `https://10.0.0.1:6443`. */
  readonly server: string
  /** Of the next connection: files are read again, so that renewed certificates are used. */
  tls(): Promise<RemoteApiTls>
  /** Origins of all its live replicas: when the one in use goes away, the host's own client goes on with another. */
  follow(origins: readonly string[]): void
}

export const RemoteApiCap = capability<RemoteApi>('remote-api/v1')
