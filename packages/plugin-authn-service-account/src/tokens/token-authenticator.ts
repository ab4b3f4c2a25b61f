import type { Clock, UserInfo } from '@continuo/core'
import type { AuthenticationRequest, Authenticator } from '@continuo/workload'
import type { BoundObjects } from './bound-objects.ts'
import { claimsFault, userOfClaims } from './claims.ts'
import { badToken, type TokenCodec } from './token-codec.ts'

/** The bearer token of a request; undefined for other credentials. */
export function bearerToken({ headers }: Pick<AuthenticationRequest, 'headers'>): string | undefined {
  const { authorization } = headers
  return typeof authorization === 'string' ? /^bearer +(\S+)$/i.exec(authorization.trim())?.[1] : undefined
}

export interface TokenAuthenticatorOptions {
  readonly codec: TokenCodec
  readonly objects: BoundObjects
  readonly clock: Clock
  readonly issuer: string
  /** Those of the API. */
  readonly audiences: readonly string[]
}

/** Recognises the bearers of service account tokens. */
export class TokenAuthenticator implements Authenticator {
  readonly #options: TokenAuthenticatorOptions

  constructor(options: TokenAuthenticatorOptions) {
    this.#options = options
  }

  async authenticate(request: AuthenticationRequest): Promise<UserInfo | undefined> {
    const { codec, objects, clock, issuer, audiences } = this.#options
    const token = bearerToken(request)
    const claims = token === undefined ? undefined : await codec.verify(token)
    if (claims === undefined) return undefined
    const fault =
      claimsFault(claims, { issuer, audiences: request.audiences ?? audiences, now: clock.now() }) ??
      (await objects.fault(claims['kubernetes.io']))
    if (fault !== undefined) throw badToken(fault)
    return userOfClaims(claims)
  }
}
