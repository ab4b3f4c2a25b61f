import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ContinuoError } from '@continuo/core'
import { parse } from 'yaml'
import type { ServerAccess } from './connection-settings.ts'

type Fields = Readonly<Record<string, unknown>>

const refuse = (path: string, what: string, hint?: string): ContinuoError =>
  new ContinuoError('CLIENT_KUBECONFIG', `kubeconfig ${path}: ${what}`, hint === undefined ? {} : { hint })

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What of a kubeconfig would be left out silently, and must not be. */
const unsupported: Readonly<Record<'cluster' | 'user', readonly string[]>> = {
  cluster: ['insecure-skip-tls-verify', 'proxy-url'],
  user: ['exec', 'auth-provider', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra'],
}

/**
 * What a kubeconfig says of one context, the current one unless named. Pure; paths are resolved against the file's directory.
 * Throws `CLIENT_KUBECONFIG`; no message repeats a value of the file but names.
 */
export function parseKubeconfig(text: string, path: string, context?: string): ServerAccess {
  let config: unknown
  try {
    config = parse(text, { maxAliasCount: 0 })
  } catch {
    throw refuse(path, 'is not YAML')
  }
  if (!isFields(config)) throw refuse(path, 'is not a map')
  const wanted = context ?? config['current-context']
  if (typeof wanted !== 'string' || wanted === '') throw refuse(path, 'names no current-context', 'set `context`')
  const section = (list: 'clusters' | 'users' | 'contexts', name: string): Fields => {
    const field = list.slice(0, -1)
    const entries = (config as Fields)[list]
    const entry = Array.isArray(entries) ? entries.find((one) => isFields(one) && one.name === name) : undefined
    if (entry === undefined) throw refuse(path, `has no ${field} ${JSON.stringify(name)}`)
    const body: unknown = entry[field] ?? {}
    if (!isFields(body)) throw refuse(path, `${field} ${JSON.stringify(name)} is not a map`)
    return body
  }
  const chosen = section('contexts', wanted)
  const cluster = section('clusters', String(chosen.cluster ?? ''))
  const user = chosen.user === undefined || chosen.user === '' ? {} : section('users', String(chosen.user))
  refuseUnsupported(path, 'cluster', cluster)
  refuseUnsupported(path, 'user', user)
  const directory = dirname(path)
  const { plain, file, inline } = readers(path, directory)
  const server = plain(cluster, 'server')
  if (server === undefined) throw refuse(path, `context ${JSON.stringify(wanted)} names no server`)
  return {
    server,
    ...choice('ca', inline(cluster, 'certificate-authority-data'), file(cluster, 'certificate-authority')),
    ...choice('cert', inline(user, 'client-certificate-data'), file(user, 'client-certificate')),
    ...choice('key', inline(user, 'client-key-data'), file(user, 'client-key')),
    // A file goes before the text beside it, as in Kubernetes' clients: it is what is renewed.
    ...(user.tokenFile === undefined
      ? choice('token', plain(user, 'token'), undefined)
      : choice('token', undefined, file(user, 'tokenFile'))),
    tlsServerName: plain(cluster, 'tls-server-name'),
  }
}

function refuseUnsupported(path: string, part: 'cluster' | 'user', fields: Fields): void {
  const found = unsupported[part].find((name) => fields[name] !== undefined && fields[name] !== false && fields[name] !== '')
  if (found !== undefined) {
    throw refuse(
      path,
      `its ${part} uses ${found}, which this client does not support`,
      'use a client certificate or a token, and certificate-authority',
    )
  }
}

function readers(path: string, directory: string) {
  const plain = (fields: Fields, name: string): string | undefined => {
    const value = fields[name]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value !== 'string') throw refuse(path, `${name} is not a text`)
    return value
  }
  return {
    plain,
    file: (fields: Fields, name: string): string | undefined => {
      const value = plain(fields, name)
      return value === undefined ? undefined : resolve(directory, value)
    },
    inline: (fields: Fields, name: string): string | undefined => {
      const value = plain(fields, name)
      if (value !== undefined && !/^[A-Za-z0-9+/=\s]+$/.test(value)) throw refuse(path, `${name} is not base64`)
      return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8')
    },
  }
}

/** Inline data goes before a file, as in Kubernetes' clients. */
const choice = (name: 'ca' | 'cert' | 'key' | 'token', text: string | undefined, file: string | undefined): Partial<ServerAccess> =>
  text !== undefined ? { [name]: text } : file !== undefined ? { [`${name}File`]: file } : {}

/** Reads a kubeconfig file. Throws `CLIENT_KUBECONFIG`. */
export async function readKubeconfig(path: string, context?: string): Promise<ServerAccess> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new ContinuoError('CLIENT_KUBECONFIG', `kubeconfig ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause })
  }
  return parseKubeconfig(text, path, context)
}
