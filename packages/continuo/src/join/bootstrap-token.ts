import { createHmac } from 'node:crypto'
import { ContinuoError, type DeepReadonly, formatTime, parseTime, type Random } from '@continuo/core'
import type { Secret } from '@continuo/workload'

export const tokenNamespace = 'kube-system'
export const tokenType = 'bootstrap.kubernetes.io/token'
/** Everybody who joins a node. The roles that they need are bound to it. */
export const nodeGroup = 'system:bootstrappers:kubeadm:default-node-token'
/** Who joins a control plane as well, and may read its keys. */
export const controlPlaneGroup = 'system:bootstrappers:continuo:control-plane'

/** A bootstrap token in its two parts: the first is public. */
export interface BootstrapToken {
  readonly id: string
  readonly secret: string
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'
/** Largest multiple of the alphabet's length in a byte: values from there on are drawn again, so that every character is equally likely. */
const fair = 256 - (256 % alphabet.length)

function draw(random: Random, length: number): string {
  let text = ''
  while (text.length < length)
    for (const byte of random.bytes(length)) if (byte < fair && text.length < length) text += alphabet[byte % alphabet.length]
  return text
}

export const newToken = (random: Random): BootstrapToken => ({ id: draw(random, 6), secret: draw(random, 16) })

export const formatToken = ({ id, secret }: BootstrapToken): string => `${id}.${secret}`

/** Throws `JOIN_TOKEN_FORM`; never repeats the token. */
export function parseToken(text: string): BootstrapToken {
  const [, id, secret] = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text) ?? []
  if (id === undefined || secret === undefined)
    throw new ContinuoError('JOIN_TOKEN_FORM', 'the token does not have the form abcdef.0123456789abcdef', {
      hint: 'take the whole line that continuo token create printed',
    })
  return { id, secret }
}

export const tokenName = (id: string): string => `bootstrap-token-${id}`

export interface TokenOptions {
  /** Wall milliseconds at which it ends; undefined: never. */
  readonly expires: number | undefined
  readonly groups: readonly string[]
  readonly description: string
}

/** The secret that makes the API know the token. Pure. */
export const tokenSecret = (token: BootstrapToken, { expires, groups, description }: TokenOptions): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: tokenNamespace, name: tokenName(token.id) },
  type: tokenType,
  data: encode({
    'token-id': token.id,
    'token-secret': token.secret,
    ...(expires === undefined ? {} : { expiration: formatTime(expires) }),
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
    'auth-extra-groups': groups.join(','),
    description,
  }),
})

const encode = (fields: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))

/** What a token's secret says; the token's own secret is not among it. */
export interface TokenFacts {
  readonly id: string
  /** Wall milliseconds; undefined: never; `NaN` for a time that cannot be read, which is over. */
  readonly expires: number | undefined
  readonly usages: readonly string[]
  readonly groups: readonly string[]
  readonly description: string
}

/** Pure. */
export function tokenFacts(secret: DeepReadonly<Secret>): TokenFacts {
  const field = (name: string): string => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8')
  const expiration = field('expiration')
  return {
    id: field('token-id'),
    expires: expiration === '' ? undefined : parseTime(expiration),
    usages: ['authentication', 'signing'].filter((usage) => field(`usage-bootstrap-${usage}`) === 'true'),
    groups: field('auth-extra-groups')
      .split(',')
      .filter((group) => group !== ''),
    description: field('description'),
  }
}

/** Is its time over? Pure. */
export const hasExpired = ({ expires }: TokenFacts, now: number): boolean => expires !== undefined && !(expires > now)

/** A signature of the text by whoever knows the token (JWS, detached): lets clients that know nothing else trust the text. Pure. */
export function signDetached(text: string, { id, secret }: BootstrapToken): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url')
  const body = Buffer.from(text).toString('base64url')
  return `${header}..${createHmac('sha256', secret).update(`${header}.${body}`).digest('base64url')}`
}
