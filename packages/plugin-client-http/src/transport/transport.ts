import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { ContinuoError } from '@continuo/core'

/** One request as it goes over the wire. Path and headers have been checked. */
export interface TransportRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Uint8Array
  /** Ends the request at once, and the reading of its answer. */
  readonly signal: AbortSignal
}

/** The beginning of an answer. */
export interface TransportResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** No faster than it is read. Destroying it gives the rest up. */
  readonly body: Readable
  /** Asked when `body` has ended: false when it was cut off. */
  complete(): boolean
}

/** Brings requests to one server. */
export interface Transport {
  /** Resolves with the headers of the answer. Throws {@link TransportError} alone. */
  send(request: TransportRequest): Promise<TransportResponse>
  /** Why the server cannot be reached just now; undefined when it can, or was never needed. */
  readonly problem: TransportError | undefined
  /** Further origins of the same API, tried when a connection to the last one cannot be made. Absent: there is but one server. */
  follow?(origins: readonly string[]): void
  /** Ends every connection and what runs on it. */
  close(): void
}

export type TransportFault =
  /** There is no connection: the request has surely not been sent. */
  | 'CLIENT_UNREACHABLE'
  /** There was a connection, and the server said that it did not look at the request: it may be sent again. */
  | 'CLIENT_NOT_PROCESSED'
  /** The connection broke while the request was under way: nobody knows whether it took effect. */
  | 'CLIENT_CONNECTION_LOST'
  /** The signal of the request aborted. Whether it took effect is unknown. */
  | 'CLIENT_ABORTED'
  /** More requests are in flight than this client allows: not sent. */
  | 'CLIENT_BUSY'
  /** The client was closed: not sent. */
  | 'CLIENT_CLOSED'

/** Why there is no answer. The message names the server and nothing secret. */
export class TransportError extends ContinuoError {
  declare readonly code: TransportFault

  constructor(code: TransportFault, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(code, message, options)
  }
}
