import type { Clock, StoreError } from '@continuo/core'
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  connectivityState,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { type Effect, judge } from './etcd-errors.ts'
import { type WatchRequest, type WatchResponse, watch } from './etcd-protocol.ts'

export interface CallOptions {
  readonly effect: Effect
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/**
 * A connection of its own to one member: a frozen member must not be reached through the connection that found it frozen.
 * Pings tell a watch that its member is gone; etcd allows one every 5 seconds (`--grpc-keepalive-min-time`).
 */
const channelOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.enable_retries': 0,
  'grpc.keepalive_time_ms': 6_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.primary_user_agent': 'continuo',
}

const same = (body: Buffer): Buffer => body

/** One connection to one member of etcd. Once it is lost it stays so: whoever used it connects anew. */
export class Member {
  readonly endpoint: string
  readonly #client: Client
  readonly #clock: Clock
  readonly #streams = new Set<ClientDuplexStream<WatchRequest, WatchResponse>>()
  #connected = false
  #lost = false

  constructor(endpoint: string, credentials: ChannelCredentials, clock: Clock) {
    this.endpoint = endpoint
    this.#clock = clock
    this.#client = new Client(endpoint.replace(/^https?:\/\//, ''), credentials, channelOptions)
  }

  /** Whether the next call would go out over the connection that answered the first one. */
  get usable(): boolean {
    return !this.#lost && (!this.#connected || this.#client.getChannel().getConnectivityState(false) === connectivityState.READY)
  }

  /** Throws StoreErrors; an abort throws the signal's reason. */
  async call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request | Buffer,
    { effect, timeoutMs, signal }: CallOptions,
  ): Promise<Response> {
    signal?.throwIfAborted()
    const body = Buffer.isBuffer(request) ? request : method.requestSerialize(request)
    const answer = Promise.withResolvers<Response>()
    let timedOut = false
    const call = this.#client.makeUnaryRequest(
      method.path,
      same,
      method.responseDeserialize,
      body,
      leaderRequired(),
      {},
      (failure: ServiceError | null, response?: Response) => {
        if (failure === null) answer.resolve(response as Response)
        else if (signal?.aborted === true) answer.reject(signal.reason)
        else answer.reject(this.#judge(failure, timedOut, effect))
      },
    )
    const cancelTimeout = this.#clock.after(timeoutMs, () => {
      timedOut = true
      call.cancel()
    })
    const abort = (): void => call.cancel()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const response = await answer.promise
      this.#connected = true
      return response
    } finally {
      cancelTimeout()
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Opens a stream with one watch on it. It ends with an error when the member is lost, and when the member has lost its leader. */
  watch(request: WatchRequest): ClientDuplexStream<WatchRequest, WatchResponse> {
    const stream = this.#client.makeBidiStreamRequest(watch.path, watch.requestSerialize, watch.responseDeserialize, leaderRequired())
    this.#streams.add(stream)
    // An error after the reader has gone is nobody's.
    stream.on('error', () => {})
    stream.on('status', () => this.#streams.delete(stream))
    stream.write(request)
    return stream
  }

  /** The error of a watch's stream. */
  watchError(failure: ServiceError): StoreError {
    return this.#judge(failure, false, 'read')
  }

  /** Nothing more is asked of this member, and its watches end. */
  lose(): void {
    this.#lost = true
    for (const stream of this.#streams) stream.cancel()
    this.#client.close()
  }

  #judge({ code, details, message }: Partial<ServiceError>, timedOut: boolean, effect: Effect): StoreError {
    const { error, memberLost } = judge({ code: code ?? -1, details: details ?? message ?? '', timedOut }, effect, this.endpoint)
    if (memberLost) this.#lost = true
    return error
  }
}

/** A member that is cut off from the others refuses instead of being silent. */
function leaderRequired(): Metadata {
  const metadata = new Metadata()
  metadata.set('hasleader', 'true')
  return metadata
}
