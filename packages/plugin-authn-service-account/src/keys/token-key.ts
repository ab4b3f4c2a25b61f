import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { ContinuoError } from '@continuo/core'
import { exportJWK, type JWK } from 'jose'

export const tokenAlgorithms = ['ES256', 'RS256'] as const
export type TokenAlgorithm = (typeof tokenAlgorithms)[number]

/** A key that verifies tokens. */
export interface VerificationKey {
  /** SHA-256 of the public key, base64url: the same on every machine. */
  readonly id: string
  readonly algorithm: TokenAlgorithm
  readonly publicKey: KeyObject
}

/** A key that signs them as well. */
export interface SigningKey extends VerificationKey {
  readonly privateKey: KeyObject
}

const generate = promisify(generateKeyPair)
const rsaBits = 2048

export async function generateKey(algorithm: TokenAlgorithm): Promise<SigningKey> {
  const { privateKey } =
    algorithm === 'ES256' ? await generate('ec', { namedCurve: 'P-256' }) : await generate('rsa', { modulusLength: rsaBits })
  return { ...verificationKey(createPublicKey(privateKey), 'a new key'), privateKey }
}

const keyId = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')

function verificationKey(publicKey: KeyObject, from: string): VerificationKey {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey
  const isCurve = type === 'ec' && details?.namedCurve === 'prime256v1'
  const isRsa = type === 'rsa' && (details?.modulusLength ?? 0) >= rsaBits
  if (!isCurve && !isRsa)
    throw new ContinuoError(
      'TOKEN_KEY_UNFIT',
      `the key of ${from} cannot sign tokens: it is ${type} ${details?.namedCurve ?? details?.modulusLength ?? ''}`,
      {
        hint: 'use an EC key on P-256 or an RSA key of 2048 bits or more',
      },
    )
  return { id: keyId(publicKey), algorithm: isCurve ? 'ES256' : 'RS256', publicKey }
}

const reading = <T>(from: string, read: () => T): T => {
  try {
    return read()
  } catch (cause) {
    throw new ContinuoError('TOKEN_KEYS_UNREADABLE', `${from} holds no key that can be read`, {
      hint: 'it must be PEM; remove the file to begin with a new key: every token is refused then',
      cause,
    })
  }
}

/** A private key in PEM. Throws `TOKEN_KEYS_UNREADABLE`, `TOKEN_KEY_UNFIT`. */
export function readSigningKey(pem: string, from: string): SigningKey {
  const privateKey = reading(from, () => createPrivateKey(pem))
  return { ...verificationKey(createPublicKey(privateKey), from), privateKey }
}

/** A public key in PEM; a private one gives its public half. Throws as {@link readSigningKey}. */
export const readVerificationKey = (pem: string, from: string): VerificationKey =>
  verificationKey(
    reading(from, () => createPublicKey(pem)),
    from,
  )

/** The public half as a JSON web key. */
export async function publicJwk({ id, algorithm, publicKey }: VerificationKey): Promise<JWK> {
  const { kty, crv, x, y, n, e } = await exportJWK(publicKey)
  const own = kty === 'EC' ? { crv, x, y } : { n, e }
  return { use: 'sig', kty, kid: id, alg: algorithm, ...own }
}
