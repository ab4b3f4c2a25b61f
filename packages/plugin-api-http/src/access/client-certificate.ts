import type { TLSSocket } from 'node:tls'
import { ApiError } from '@continuo/core'
import type { AuthenticationRequest } from '@continuo/workload'
import type { Exchange } from '../server/exchange.ts'

export type Certificate = NonNullable<AuthenticationRequest['certificate']>

type Found = { readonly certificate?: Certificate; readonly error?: string }

// Keyed by connection: a handshake is verified once, by TLS itself.
const found = new WeakMap<object, Found>()
const none: Found = {}

function read(socket: TLSSocket): Found {
  if (typeof socket.getPeerCertificate !== 'function') return none
  const peer = socket.getPeerCertificate()
  if (peer === null || peer === undefined || Object.keys(peer).length === 0) return none
  if (!socket.authorized) return { error: String(socket.authorizationError ?? 'not trusted') }
  const usages = peer.ext_key_usage
  if (usages !== undefined && !usages.includes('1.3.6.1.5.5.7.3.2')) return { error: 'it is not for clients' }
  const subject = peer.subject as unknown as Record<string, string | string[] | undefined>
  const commonName = Array.isArray(subject.CN) ? subject.CN[0] : subject.CN
  if (commonName === undefined || commonName === '') return { error: 'it has no common name' }
  const organizations = subject.O === undefined ? [] : Array.isArray(subject.O) ? subject.O : [subject.O]
  return { certificate: { commonName, organizations } }
}

/** The verified client certificate of the request's connection. Throws 401 for one that is not valid. */
export function clientCertificateOf(exchange: Exchange): Certificate | undefined {
  const key = exchange.connection
  let known = found.get(key)
  if (known === undefined) {
    known = read(exchange.socket as TLSSocket)
    found.set(key, known)
  }
  if (known.error !== undefined)
    throw new ApiError('Unauthorized', `Unauthorized: the client certificate cannot be accepted: ${known.error}`)
  return known.certificate
}
