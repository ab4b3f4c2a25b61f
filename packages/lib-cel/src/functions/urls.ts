import { CelEvaluationError } from '../cel-error.ts'
import { ArrayList, KeyedMap } from '../values/collections.ts'
import { OpaqueValue } from '../values/value.ts'
import { fn, method, type Overload, walksFirst } from './overload.ts'

/** An absolute URI, or an absolute path, cut where Go's `url.ParseRequestURI` cuts it. */
class UrlValue extends OpaqueValue {
  readonly typeName = 'kubernetes.URL'
  readonly text: string
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string

  constructor(text: string, scheme: string, host: string, path: string, query: string) {
    super()
    this.text = text
    this.scheme = scheme
    this.host = host
    this.path = path
    this.query = query
  }

  override equals(other: OpaqueValue): boolean {
    return other instanceof UrlValue && other.text === this.text
  }
}

const form = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):\/\/([^/?]*))?(\/[^?]*)?(?:\?(.*))?$/s

function parse(text: string): UrlValue | undefined {
  const match = form.exec(text)
  if (match === null || text === '' || /[\s\p{Cc}]/u.test(text)) return undefined
  const [, scheme, authority, path = '', query = ''] = match
  if (scheme === undefined && path === '') return undefined
  if (/%(?![0-9a-fA-F]{2})/.test(path)) return undefined
  const host = authority?.replace(/^.*@/s, '') ?? ''
  const isHost = /^(\[[0-9a-fA-F:.]+(%25[^\]]+)?\]|[^:[\]<>"\\^`{|}]*)(:\d*)?$/.test(host)
  return isHost ? new UrlValue(text, (scheme ?? '').toLowerCase(), host, path, query) : undefined
}

function parseOrFail(text: string): UrlValue {
  const url = parse(text)
  if (url === undefined)
    throw new CelEvaluationError(
      `URL parse error during conversion from string: parse ${JSON.stringify(text.slice(0, 200))}: invalid URI for request`,
    )
  return url
}

const hostname = ({ host }: UrlValue): string => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
const port = ({ host }: UrlValue): string => /:(\d*)$/.exec(host)?.[1] ?? ''
const escapedPath = ({ path }: UrlValue): string => path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]+/g, encodeURIComponent)

function query({ query: text }: UrlValue): KeyedMap {
  const values = new Map<string, string[]>()
  for (const [key, value] of new URLSearchParams(text)) {
    const known = values.get(key)
    if (known === undefined) values.set(key, [value])
    else known.push(value)
  }
  const map = new KeyedMap()
  for (const [key, list] of values) map.add(key, new ArrayList(list))
  return map
}

export const urls: readonly Overload[] = [
  fn('url(string): url', parseOrFail, walksFirst),
  fn('isURL(string): bool', (text: string) => parse(text) !== undefined, walksFirst),
  method('url', 'getScheme(): string', ({ scheme }: UrlValue) => scheme),
  method('url', 'getHost(): string', ({ host }: UrlValue) => host),
  method('url', 'getHostname(): string', hostname),
  method('url', 'getPort(): string', port),
  method('url', 'getEscapedPath(): string', escapedPath),
  method('url', 'getQuery(): map<string, list<string>>', query),
]
