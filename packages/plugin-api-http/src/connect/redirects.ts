import type { IncomingHttpHeaders } from 'node:http'
import type { ConnectTarget } from '@continuo/workload'
import type { Exchange } from '../server/exchange.ts'

/** Where a browser must ask instead, so that links without a leading slash lead below the proxied server; undefined: here. Pure. */
export function slashBehind(
  { method, rawPath, query }: Pick<Exchange, 'method' | 'rawPath' | 'query'>,
  { prefix }: ConnectTarget,
): string | undefined {
  if (prefix === undefined || rawPath !== prefix || (method !== 'GET' && method !== 'HEAD')) return undefined
  return `${prefix}/${query === undefined ? '' : `?${query}`}`
}

/** Headers in which a redirect of a proxied server to itself leads back through the proxy. One to elsewhere stays as it is. Pure. */
export function withPrefix(headers: IncomingHttpHeaders, { prefix, host }: ConnectTarget): IncomingHttpHeaders {
  const { location } = headers
  if (prefix === undefined || location === undefined) return headers
  const base = `http://${host}/`
  const url = URL.parse(location, base)
  const isOwn = url !== null && url.host === new URL(base).host && (url.protocol === 'http:' || url.protocol === 'https:')
  // A relative one is resolved by the client, against a path that has the prefix already.
  if (!isOwn || !/^([a-z]+:)?\//i.test(location)) return headers
  return { ...headers, location: `${prefix}${url.pathname}${url.search}${url.hash}` }
}
