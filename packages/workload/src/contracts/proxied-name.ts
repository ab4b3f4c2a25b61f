import { ApiError } from '@continuo/core'

/** What the name in a path like `services/https:web:443/proxy` says. */
export interface ProxiedName {
  readonly scheme: 'http' | 'https'
  readonly name: string
  /** Name or number; empty when the path has none. */
  readonly port: string
}

/** Reads `name`, `name:port` and `scheme:name:port`, where scheme and port may be empty. Throws `ApiError` BadRequest. Pure. */
export function parseProxiedName(text: string): ProxiedName {
  const parts = text.split(':')
  const [scheme = '', name = '', port = ''] = parts.length < 3 ? ['', ...parts] : parts
  if (parts.length > 3 || name === '' || !['', 'http', 'https'].includes(scheme))
    throw new ApiError('BadRequest', `invalid service request ${JSON.stringify(text)}`)
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port }
}
