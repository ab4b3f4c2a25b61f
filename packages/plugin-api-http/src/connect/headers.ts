import type { IncomingHttpHeaders } from 'node:http'

/** Headers that concern one connection only (RFC 9110, 7.6.1), and those of HTTP/2. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
])

/** Credentials for this server, and what only its gate understands: they never go on. */
const ours = (name: string): boolean =>
  name === 'authorization' ||
  name.startsWith('impersonate-') ||
  name.startsWith('continuo-') ||
  name.startsWith('x-remote-') ||
  name === 'host'

const named = (connection: string | undefined): ReadonlySet<string> =>
  new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()))

/** What our own agent needs to know of a stream's request. */
const streamHeaders = /^(accept|content-type|content-length|user-agent|origin|sec-websocket-.*|x-stream-protocol-version)$/

/** Headers of the client's request that go on to the target. Pure. */
export function forwardedHeaders(headers: IncomingHttpHeaders, transparent: boolean): Record<string, string | string[]> {
  const dropped = named(headers.connection)
  const result: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || hopByHop.has(name) || dropped.has(name) || ours(name)) continue
    if (!transparent && !streamHeaders.test(name)) continue
    result[name] = value
  }
  // A body of unknown length over HTTP/1.1.
  if (headers['content-length'] === undefined && headers['transfer-encoding'] !== undefined) result['transfer-encoding'] = 'chunked'
  return result
}

/** Headers of the target's answer that go back to the client. Pure. */
export function passedHeaders(headers: IncomingHttpHeaders, isHttp2: boolean): string[] {
  const dropped = named(headers.connection)
  const result: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || hopByHop.has(name) || dropped.has(name) || (isHttp2 && name === 'host')) continue
    for (const one of Array.isArray(value) ? value : [value]) result.push(name, one)
  }
  return result
}
