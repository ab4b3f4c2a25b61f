import { TransportError } from './transport.ts'

const untrusted = 'the server is not the one that `ca` vouches for: check `ca` and `server`'

const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: check that the control plane runs, and `server`',
  ECONNRESET: 'the server closed the connection while it was being made: check that `server` speaks TLS and HTTP/2',
  ENOTFOUND: 'the host name of `server` is not known: check it, and the name service',
  EAI_AGAIN: 'the name service does not answer: check it',
  EHOSTUNREACH: 'there is no way to that host: check the network and `server`',
  ENETUNREACH: 'there is no way to that network: check the network and `server`',
  ETIMEDOUT: 'the host does not answer: check the network and `server`',
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_HAS_EXPIRED: 'the certificate of the server has expired: renew it, or check the clock of this machine',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server names other hosts: check `server`, or set `tlsServerName`',
  ERR_HTTP2_ERROR: 'the server does not speak HTTP/2: check `server`',
  EPROTO: 'the server does not speak TLS: check `server`',
}

/** The error for a connection that cannot be made. `server` is shown. */
export function unreachable(server: string, cause: unknown): TransportError {
  const { code, message } = (cause ?? {}) as { readonly code?: string; readonly message?: string }
  const hint = code === undefined ? undefined : hints[code]
  return new TransportError('CLIENT_UNREACHABLE', `the API at ${server} cannot be reached: ${message ?? 'the connection was closed'}`, {
    ...(hint === undefined ? {} : { hint }),
    cause,
  })
}

export const lost = (server: string, cause?: unknown): TransportError =>
  new TransportError('CLIENT_CONNECTION_LOST', `the connection to the API at ${server} was lost`, { cause })

export const aborted = (): TransportError => new TransportError('CLIENT_ABORTED', 'the request was given up by its caller')

export const notProcessed = (server: string, cause?: unknown): TransportError =>
  new TransportError('CLIENT_NOT_PROCESSED', `the API at ${server} closed the connection before it looked at the request`, { cause })

export const closed = (server: string): TransportError =>
  new TransportError('CLIENT_CLOSED', `the client of the API at ${server} has been closed`)
