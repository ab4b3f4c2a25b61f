import { createHash } from 'node:crypto'
import { ApiError, isApiError } from '@continuo/core'
import { CompactSign, compactVerify, decodeJwt, decodeProtectedHeader } from 'jose'
import type { KeyRing } from '../keys/key-ring.ts'
import { readClaims, type TokenClaims } from './claims.ts'

const maxTokens = 10_000
const maxTokenLength = 16_384

export const badToken = (why: string): ApiError => new ApiError('Unauthorized', `invalid bearer token: ${why}`)

/** Signs tokens and verifies signatures; each genuine token is verified once. Bounded: 10,000 tokens, the least lately used goes. */
export class TokenCodec {
  readonly #keys: KeyRing
  readonly #issuer: string
  /** Claims by the digest of the token: the tokens themselves are not kept. */
  readonly #verified = new Map<string, { readonly claims: TokenClaims; readonly keyId: string }>()

  constructor(keys: KeyRing, issuer: string) {
    this.#keys = keys
    this.#issuer = issuer
  }

  sign(claims: TokenClaims): Promise<string> {
    const { id, algorithm, privateKey } = this.#keys.signing
    return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: algorithm, kid: id }).sign(privateKey)
  }

  /**
   * The claims of a genuine token of this issuer; undefined for a credential of another kind, which others may know.
   * Expiry and audience are not looked at. Throws 401 for a token that claims to be ours and is not.
   */
  async verify(token: string): Promise<TokenClaims | undefined> {
    const digest = createHash('sha256').update(token).digest('base64')
    const known = this.#verified.get(digest)
    if (known !== undefined && this.#keys.find(known.keyId) !== undefined) {
      this.#remember(digest, known)
      return known.claims
    }
    if (!this.#isOurs(token)) return undefined
    const { claims, keyId } = await this.#verify(token)
    this.#remember(digest, { claims, keyId })
    return claims
  }

  #isOurs(token: string): boolean {
    if (token.length > maxTokenLength || token.split('.').length !== 3) return false
    try {
      return decodeJwt(token).iss === this.#issuer
    } catch {
      return false
    }
  }

  async #verify(token: string): Promise<{ readonly claims: TokenClaims; readonly keyId: string }> {
    let payload: unknown
    let keyId = ''
    try {
      const { kid, alg } = decodeProtectedHeader(token)
      const key = this.#keys.find(kid)
      // The algorithm is the key's, never what the token says.
      if (key === undefined || alg !== key.algorithm) throw badToken('it is signed by no key of this cluster')
      keyId = key.id
      const verified = await compactVerify(token, key.publicKey, { algorithms: [key.algorithm] })
      payload = JSON.parse(new TextDecoder().decode(verified.payload))
    } catch (cause) {
      if (isApiError(cause)) throw cause
      throw new ApiError('Unauthorized', 'invalid bearer token: its signature is not genuine', undefined, { cause })
    }
    const claims = readClaims(payload)
    if (claims === undefined) throw badToken('it is no service account token')
    return { claims, keyId }
  }

  #remember(digest: string, entry: { readonly claims: TokenClaims; readonly keyId: string }): void {
    this.#verified.delete(digest)
    this.#verified.set(digest, entry)
    if (this.#verified.size > maxTokens) this.#verified.delete(this.#verified.keys().next().value as string)
  }
}
