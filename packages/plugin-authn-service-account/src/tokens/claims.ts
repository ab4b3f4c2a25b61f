import { isRecord, type UserInfo } from '@continuo/core'

/** An object that a token speaks of. */
export interface BoundObject {
  readonly name: string
  readonly uid: string
}

/** What a token says of its bearer, in the claim `kubernetes.io`. */
export interface AccountClaims {
  readonly namespace: string
  readonly serviceaccount: BoundObject
  readonly pod?: BoundObject
  readonly secret?: BoundObject
  readonly node?: BoundObject
}

/** Claims of a service account token, as Kubernetes issues them (KEP-1205). Times are seconds since the epoch. */
export interface TokenClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: readonly string[]
  readonly iat: number
  readonly nbf: number
  readonly exp: number
  readonly jti: string
  readonly 'kubernetes.io': AccountClaims
}

export const accountUser = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`

const isBound = (value: unknown): value is BoundObject => isRecord(value) && typeof value.name === 'string' && typeof value.uid === 'string'

/** The claims of a verified payload; undefined for a token of another kind. */
export function readClaims(payload: unknown): TokenClaims | undefined {
  if (!isRecord(payload)) return undefined
  const { iss, sub, aud, iat, nbf, exp, jti, 'kubernetes.io': account } = payload
  if (!isRecord(account) || typeof account.namespace !== 'string' || !isBound(account.serviceaccount)) return undefined
  for (const one of ['pod', 'secret', 'node'] as const) if (account[one] !== undefined && !isBound(account[one])) return undefined
  const audiences = typeof aud === 'string' ? [aud] : aud
  if (!Array.isArray(audiences) || audiences.some((one) => typeof one !== 'string')) return undefined
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof exp !== 'number') return undefined
  if (sub !== accountUser(account.namespace, account.serviceaccount.name)) return undefined
  return {
    iss,
    sub,
    exp,
    aud: audiences as string[],
    iat: typeof iat === 'number' ? iat : 0,
    nbf: typeof nbf === 'number' ? nbf : 0,
    jti: typeof jti === 'string' ? jti : '',
    'kubernetes.io': account as unknown as AccountClaims,
  }
}

/** Why a token that is genuine is not good here and now; undefined when it is. Pure. `now` is wall milliseconds. */
export function claimsFault(
  claims: TokenClaims,
  wanted: { readonly issuer: string; readonly audiences: readonly string[]; readonly now: number },
): string | undefined {
  const now = wanted.now / 1_000
  if (claims.iss !== wanted.issuer) return 'it was issued by somebody else'
  if (claims.exp <= now) return 'it has expired'
  if (claims.nbf > now + leewaySeconds) return 'it is not valid yet'
  if (!claims.aud.some((audience) => wanted.audiences.includes(audience)))
    return `its audiences ${JSON.stringify(claims.aud)} are not among those wanted, ${JSON.stringify(wanted.audiences)}`
  return undefined
}

/** Clocks of replicas may differ by this. */
const leewaySeconds = 60

/** The user that a token's bearer is. */
export function userOfClaims({ sub, jti, 'kubernetes.io': account }: TokenClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = account
  const extra: Record<string, readonly string[]> = {}
  const say = (key: string, value: string | undefined): void => {
    if (value) extra[`authentication.kubernetes.io/${key}`] = [value]
  }
  say('credential-id', jti === '' ? undefined : `JTI=${jti}`)
  say('pod-name', pod?.name)
  say('pod-uid', pod?.uid)
  say('node-name', node?.name)
  say('node-uid', node?.uid)
  return {
    username: sub,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  }
}
