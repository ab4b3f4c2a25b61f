import { ContinuoError } from '@continuo/core'

/** Text, or the file that holds it. Files are read again, so that what is in them can be renewed. */
export type Material = { readonly text: string } | { readonly file: string }

/** Which server, how it is trusted, and as whom. */
export interface ConnectionSettings {
  /** Scheme, host and port, as `https://10.0.0.1:6443`. */
  readonly origin: string
  /** What stands before every path: empty, or beginning with a slash and not ending with one. */
  readonly basePath: string
  /** Absent: the authorities of the platform. */
  readonly ca?: Material
  readonly cert?: Material
  readonly key?: Material
  readonly token?: Material
  /** Name that the server's certificate must bear, when it is not the host of `origin`. */
  readonly tlsServerName?: string
}

/** Settings as a config file or a program gives them, of which each material has two forms. */
export interface ServerAccess {
  readonly server: string
  readonly ca?: string
  readonly caFile?: string
  readonly cert?: string
  readonly certFile?: string
  readonly key?: string
  readonly keyFile?: string
  readonly token?: string
  readonly tokenFile?: string
  readonly tlsServerName?: string
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

/** What is wrong with the URL of a server; undefined when nothing is. Never repeats the URL, which may hold a password. */
export function serverProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL, as https://10.0.0.1:6443'
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https://'
  if (url.username !== '' || url.password !== '') return 'must not hold a user or password; use cert and key, or token'
  if (url.search !== '' || url.hash !== '') return 'must not have a query or fragment'
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return 'must use https://; plain HTTP is for the loopback of this machine alone'
  return undefined
}

/** Everything that is wrong with how a server is described, with the field's name. Pure. */
export function accessProblems(access: Partial<ServerAccess>): readonly { readonly field: string; readonly message: string }[] {
  const problems: { field: string; message: string }[] = []
  const wrong = access.server === undefined ? undefined : serverProblem(access.server)
  if (wrong !== undefined) problems.push({ field: 'server', message: wrong })
  for (const name of ['ca', 'cert', 'key', 'token'] as const) {
    if (access[name] !== undefined && access[`${name}File`] !== undefined) {
      problems.push({ field: `${name}File`, message: `stands beside ${name}: give one of them` })
    }
  }
  const has = (name: 'cert' | 'key'): boolean => access[name] !== undefined || access[`${name}File`] !== undefined
  if (has('cert') !== has('key')) {
    problems.push({ field: has('cert') ? 'cert' : 'key', message: 'a client certificate needs both cert and key' })
  }
  return problems
}

const material = (text: string | undefined, file: string | undefined): Material | undefined =>
  text !== undefined ? { text } : file !== undefined ? { file } : undefined

/** The checked form. Throws `CLIENT_CONFIG` with everything that is wrong. */
export function connectionSettings(access: ServerAccess): ConnectionSettings {
  const problems = accessProblems(access)
  if (problems.length > 0) {
    throw new ContinuoError('CLIENT_CONFIG', problems.map(({ field, message }) => `${field} ${message}`).join('; '))
  }
  const url = new URL(access.server)
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    ca: material(access.ca, access.caFile),
    cert: material(access.cert, access.certFile),
    key: material(access.key, access.keyFile),
    token: material(access.token, access.tokenFile),
    tlsServerName: access.tlsServerName,
  }
}
