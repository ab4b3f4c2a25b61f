import { createHash, timingSafeEqual } from 'node:crypto'
import { type DeepReadonly, parseTime, type UserInfo } from '@continuo/core'
import type { Secret } from '@continuo/workload'

export const bootstrapNamespace = 'kube-system'
export const bootstrapSecretType = 'bootstrap.kubernetes.io/token'
const group = 'system:bootstrappers'
const extraGroup = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/

/** The two halves of a bootstrap token; undefined for anything else. */
export function parseBootstrapToken(token: string): { readonly id: string; readonly secret: string } | undefined {
  const match = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token)
  return match === null ? undefined : { id: match[1] as string, secret: match[2] as string }
}

export const bootstrapSecretName = (id: string): string => `bootstrap-token-${id}`

/** Takes as long for wrong texts as for right ones. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** The user whom a secret makes of the token's bearer; undefined when it does not vouch for this token now. Pure. `now` is wall milliseconds. */
export function bootstrapUser(
  object: DeepReadonly<Secret>,
  token: { readonly id: string; readonly secret: string },
  now: number,
): UserInfo | undefined {
  const field = (name: string): string => Buffer.from(object.data?.[name] ?? '', 'base64').toString('utf8')
  const genuine = sameText(field('token-secret'), token.secret)
  if (!genuine || object.type !== bootstrapSecretType || object.metadata.deletionTimestamp !== undefined) return undefined
  if (object.metadata.name !== bootstrapSecretName(token.id) || field('token-id') !== token.id) return undefined
  const expiration = field('expiration')
  // A time that cannot be read is over.
  if (expiration !== '' && !(parseTime(expiration) > now)) return undefined
  if (field('usage-bootstrap-authentication') !== 'true') return undefined
  const extra = field('auth-extra-groups')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (extra.some((name) => !extraGroup.test(name))) return undefined
  return { username: `system:bootstrap:${token.id}`, groups: [...new Set([group, ...extra])].sort() }
}
