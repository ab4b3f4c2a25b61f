import { ApiError } from '@continuo/core'

/** A path that names a resource, in the terms of Kubernetes' URL layout. */
export interface ResourcePath {
  readonly isResource: true
  readonly group: string
  readonly version: string
  /** As the URL has it: for `/api/v1/namespaces/a` both namespace and name are `a`. */
  readonly namespace: string
  readonly resource: string
  /** The resource stands below `/namespaces/<namespace>/`. */
  readonly within: boolean
  readonly name: string
  readonly subresource: string
  /** What follows the subresource, still percent-encoded: empty or beginning with a slash. */
  readonly rest: string
  /** The deprecated `/watch/` form. */
  readonly watch: boolean
}

/** Any other path: health, discovery, documents. */
export interface PlainPath {
  readonly isResource: false
  /** Decoded, without a trailing slash. */
  readonly segments: readonly string[]
}

export type RequestPath = ResourcePath | PlainPath

const maxLength = 8_192
const namespaceSubresources = new Set(['status', 'finalize'])

const refuse = (why: string): ApiError => new ApiError('BadRequest', `the path of the request is not allowed: ${why}`)

/** A percent-encoded byte or a control character could mean something else to whoever gets the name next. */
function decodeSegment(segment: string): string {
  let text = segment
  if (segment.includes('%')) {
    try {
      text = decodeURIComponent(segment)
    } catch {
      throw refuse('it has a broken percent-encoding')
    }
  }
  if (text === '.' || text === '..') throw refuse(`it has a segment ${JSON.stringify(text)}`)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) throw refuse('it has a control character')
    if (code === 0x2f || code === 0x5c) throw refuse('a segment has an encoded slash')
  }
  return text
}

/** A path in which nothing has to be decoded or refused: what nearly every request has. */
const plainPath = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.:~-]+)+\/?$/

/** What goes on to a proxied server is left as it is, but may not climb out of its place. */
function checkRest(rest: string): string {
  for (const segment of rest.split('/')) {
    let text: string
    try {
      text = decodeURIComponent(segment)
    } catch {
      throw refuse('it has a broken percent-encoding')
    }
    if (text === '..' || text === '.' || /(^|[/\\])\.\.([/\\]|$)/.test(text) || text.includes('\0')) throw refuse('its proxied part climbs')
  }
  return rest
}

/**
 * Reads the path of a request, without its query. Strict: traversal, encoded slashes, empty segments and control characters are 400,
 * so that no two parts of the server can read one path in two ways.
 */
export function parsePath(raw: string): RequestPath {
  if (raw.length > maxLength) throw refuse(`it is longer than ${maxLength} characters`)
  if (raw.charCodeAt(0) !== 0x2f) throw refuse('it does not begin with a slash')
  const parts = raw.split('/')
  parts.shift()
  if (parts.length > 0 && parts[parts.length - 1] === '') parts.pop()
  const isPlain = plainPath.test(raw)
  const take = (index: number): string => {
    const part = parts[index]
    if (part === undefined) return ''
    if (isPlain) return part
    if (part === '') throw refuse('it has an empty segment')
    return decodeSegment(part)
  }
  const root = take(0)
  let at = root === 'api' ? 1 : root === 'apis' ? 2 : 0
  // `/api/v1` and `/apis/apps/v1` are discovery; only what goes on names a resource.
  if (at === 0 || parts.length <= at + 1) return { isResource: false, segments: parts.map((_, index) => take(index)) }
  const group = at === 1 ? '' : take(1)
  const version = take(at++)
  const watch = take(at) === 'watch'
  if (watch) at++
  let namespace = ''
  let within = false
  let resource = take(at++)
  let name = take(at++)
  if (resource === 'namespaces' && name !== '') {
    namespace = name
    const next = take(at)
    if (next !== '' && !namespaceSubresources.has(next)) {
      within = true
      resource = next
      name = take(at + 1)
      at += 2
    }
  }
  const subresource = take(at++)
  const rest =
    at < parts.length || (subresource === 'proxy' && raw.endsWith('/'))
      ? checkRest(`/${parts.slice(at).join('/')}${raw.endsWith('/') && at < parts.length ? '/' : ''}`)
      : ''
  return { isResource: true, group, version, namespace, resource, within, name, subresource, rest, watch }
}
