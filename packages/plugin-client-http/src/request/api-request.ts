/** One request to the API, before it has a connection and credentials. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Encoded, without the base path of the server. */
  readonly path: string
  /** Encoded, without the question mark. */
  readonly query?: string
  readonly accept?: string
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Default `application/json`. */
  readonly contentType?: string
  readonly signal?: AbortSignal
}

/** A read may be sent again when nobody knows what became of it. */
export const isRead = (request: ApiRequest): boolean => request.method === 'GET'

/** What the request does, for messages: `GET /api/v1/nodes`. */
export const describeRequest = (request: ApiRequest): string => `${request.method} ${request.path}`
