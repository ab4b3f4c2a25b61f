import type { Duplex } from 'node:stream'
import { type Caller, capability, type DeepReadonly, type ObjectRef, type UnstructuredObject } from '@continuo/core'

/** A request to a subresource that is a stream or a proxied call: log, exec, port-forward, proxy. Authorised, and its body unread. */
export interface ConnectRequest {
  readonly ref: ObjectRef
  /** The name as the path has it: that of a proxied object may bear a scheme and a port. */
  readonly asked: string
  /** The object, as it is now. */
  readonly object: DeepReadonly<UnstructuredObject>
  readonly method: string
  readonly query: URLSearchParams
  /** What follows the subresource in the path, still percent-encoded: empty or beginning with a slash. */
  readonly rest: string
  readonly caller: Caller
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
}

/** Where a request goes on: an HTTP/1.1 server at the end of a byte stream. */
export interface ConnectTarget {
  /** A fresh stream for this one request. Throws `ApiError`, 503 when the end cannot be reached. */
  open(signal: AbortSignal): Promise<Duplex>
  /** Path and query to ask for, percent-encoded. */
  readonly path: string
  /** Value of the Host header. */
  readonly host: string
  /** Method to ask with. Default: the client's. */
  readonly method?: string
  /** Values of `Upgrade` (lower-case, as `websocket`) that may pass. Default: none; an upgrade is refused with 400 then. */
  readonly upgrades?: readonly string[]
  /**
   * True: headers, status and body of the target's answer pass to the client, redirects included (proxy).
   * False: only status, content type and body do, and a redirect is an error (log, exec): the target is ours.
   */
  readonly transparent?: boolean
  /**
   * Of a proxied server: the path below which clients see it. Redirects of the server to itself are given it, and a request for the place
   * itself is sent on to the slash behind it.
   */
  readonly prefix?: string
  /** True: a redirect is an error (502), for it would make clients show their credentials to another server. */
  readonly refuseRedirects?: boolean
  /** Headers that the request gets beside those of the client, which lose theirs of the same name. */
  readonly headers?: Readonly<Record<string, string | string[]>>
}

/** Says where the connect subresources of a resource lead. Keyed `group/plural/subresource`. Throws `ApiError` for what cannot be connected. */
export interface ConnectHandler {
  connect(request: ConnectRequest): Promise<ConnectTarget> | ConnectTarget
}

export const ConnectHandlerCap = capability<ConnectHandler, 'many'>('api-connect/v1', { cardinality: 'many' })

/** An HTTP/1.1 upgrade on a path of a plugin's own, after the gate: authenticated, and authorised as `get` on the path. */
export interface UpgradeRequest {
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly caller: Caller
  /** The connection; nothing has been answered on it. Whoever takes the request owns it. */
  readonly socket: Duplex
  /** What the client has sent beyond the request's headers. */
  readonly head: Uint8Array
  /** Aborts when the server stops. */
  readonly signal: AbortSignal
}

/**
 * Takes connections over: how agents on other machines reach this replica through the API's own port. Keyed by the first segment
 * of the path, which must not be one of the API's. Being authenticated is not enough: look whether this caller may.
 */
export interface UpgradeRoute {
  /** Resolves when the connection has ended. Throws `ApiError` as long as nothing was written. */
  accept(request: UpgradeRequest): Promise<void>
}

export const UpgradeRouteCap = capability<UpgradeRoute, 'many'>('api-upgrade/v1', { cardinality: 'many' })

/** A GET of a path of a plugin's own, after the gate: authenticated, and authorised as `get` on the path. */
export interface RouteRequest {
  readonly query: URLSearchParams
  readonly caller: Caller
}

export interface RouteAnswer {
  /** Default 200. */
  readonly status?: number
  /** Content type. Default `application/json`. */
  readonly type?: string
  readonly body: string | Uint8Array
}

/** Answers a path beside the resources. Keyed by the path without its leading slash, such as `continuo/decisions`. May throw `ApiError`. */
export interface ApiRoute {
  get(request: RouteRequest): Promise<RouteAnswer> | RouteAnswer
}

export const ApiRouteCap = capability<ApiRoute, 'many'>('api-route/v1', { cardinality: 'many' })
