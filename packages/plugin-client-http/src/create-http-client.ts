import { type Clock, ContinuoError, type ObjectClient, type Random, systemClock, systemRandom } from '@continuo/core'
import type { RemoteApiTls } from '@continuo/workload'
import { connectionSettings, type ServerAccess } from './access/connection-settings.ts'
import { Credentials } from './access/credentials.ts'
import { readKubeconfig } from './access/kubeconfig.ts'
import { Discovery } from './client/discovery.ts'
import { HttpObjectClient } from './client/http-client.ts'
import { Requester } from './request/requester.ts'
import { Http1Transport } from './transport/http1-transport.ts'
import { Http2Transport } from './transport/http2-transport.ts'
import type { Transport, TransportError } from './transport/transport.ts'

export interface HttpClientOptions extends Partial<ServerAccess> {
  /** Path of a kubeconfig file, instead of `server` and what belongs to it. */
  readonly kubeconfig?: string
  /** Context of the kubeconfig. Default: its current one. */
  readonly context?: string
  /** Default `continuo-client/0.1.0`. Its first word is the field manager of writes that name none. */
  readonly userAgent?: string
  /** Time to make a connection. Default 10,000 ms. */
  readonly connectTimeoutMs?: number
  /** Time for a whole request with its retries; for a watch until it begins. Default 60,000 ms. */
  readonly requestTimeoutMs?: number
  /** Time between two pings of the connection. Default 15,000 ms. */
  readonly keepAliveMs?: number
  /** Time in which a ping must be answered, or the connection is given up. Default 10,000 ms. */
  readonly pingTimeoutMs?: number
  /** Largest answer that is read. Default 128 MiB. */
  readonly maxResponseBytes?: number
  /** Largest event of a watch. Default 8 MiB. */
  readonly maxEventBytes?: number
  /** Requests and watches in flight; one more is 429. Default 2,000. */
  readonly maxInFlight?: number
  /** Receives the texts of the server's `Warning` headers. */
  readonly onWarning?: (text: string) => void
  /** Default: the real clock. */
  readonly clock?: Clock
  /** Default: the platform's. */
  readonly random?: Random
}

/** An object client with connections of its own. */
export interface HttpClient extends ObjectClient, AsyncDisposable {
  /** URL of the server. */
  readonly server: string
  /** Why the server cannot be reached just now; undefined when it can, or was never asked. */
  readonly problem: TransportError | undefined
  /** TLS of a further connection to the server, from the files as they are now. Throws `CLIENT_UNREACHABLE`. */
  tls(): Promise<RemoteApiTls>
  /** Origins at which the same API answers as well, such as its other replicas: connections go there when `server` is away. */
  follow(origins: readonly string[]): void
  /** JSON of a path beside the resources, such as `/continuo/decisions`. Throws `ApiError`. */
  getPath(path: string, query?: Readonly<Record<string, string>>): Promise<unknown>
  /** Ends every connection with what runs on it: requests fail with 503, watches with them. */
  close(): Promise<void>
}

/**
 * Makes an object client that speaks with an API over HTTP/2 and TLS, or over plain HTTP/1.1 on the loopback of this machine.
 * Connects with the first request. Throws `CLIENT_CONFIG` or `CLIENT_KUBECONFIG` for options that cannot work.
 * @example
 * await using client = await createHttpClient({ kubeconfig: '.continuo/kubeconfig' })
 * const { items } = await client.for(Namespace).list()
 */
export async function createHttpClient(options: HttpClientOptions): Promise<HttpClient> {
  const settings = connectionSettings(await accessOf(options))
  const { clock = systemClock, random = systemRandom, maxInFlight = 2_000, connectTimeoutMs = 10_000, keepAliveMs = 15_000 } = options
  const { userAgent = 'continuo-client/0.1.0' } = options
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(userAgent))
    throw new ContinuoError('CLIENT_CONFIG', 'userAgent must be printable ASCII')
  const { origin, basePath } = settings
  const credentials = new Credentials(settings, clock)
  const common = { origin, clock, random, maxInFlight, connectTimeoutMs, keepAliveMs }
  const transport: Transport = origin.startsWith('http:')
    ? new Http1Transport(common)
    : new Http2Transport({ ...common, pingTimeoutMs: options.pingTimeoutMs ?? 10_000, tls: () => credentials.tls() })
  const requester = new Requester({
    transport,
    credentials,
    clock,
    random,
    basePath,
    userAgent,
    requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
    maxResponseBytes: options.maxResponseBytes ?? 128 * 1024 * 1024,
    ...(options.onWarning === undefined ? {} : { onWarning: options.onWarning }),
  })
  const client = new HttpObjectClient({
    requester,
    discovery: new Discovery(requester),
    maxEventBytes: options.maxEventBytes ?? 8 * 1024 * 1024,
  })
  const close = async (): Promise<void> => transport.close()
  return {
    server: `${origin}${basePath}`,
    get problem() {
      return transport.problem
    },
    for: (kind) => client.for(kind),
    resource: (gvr) => client.resource(gvr),
    as: (user) => client.as(user),
    with: (identity) => client.with(identity),
    resources: () => client.resources(),
    getPath: async (path, query) => (await requester.json({ method: 'GET', path, query: new URLSearchParams(query).toString() })).value,
    tls: () => credentials.tls(),
    follow: (origins) => transport.follow?.(origins),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** How the server is reached: as the options say, or as the kubeconfig that they name. */
async function accessOf(options: HttpClientOptions): Promise<ServerAccess> {
  const { kubeconfig, context, server } = options
  if (kubeconfig === undefined) {
    if (server === undefined) throw new ContinuoError('CLIENT_CONFIG', 'neither server nor kubeconfig says where the API is')
    return { ...options, server }
  }
  if (server !== undefined) throw new ContinuoError('CLIENT_CONFIG', 'server stands beside kubeconfig: give one of them')
  return readKubeconfig(kubeconfig, context)
}
