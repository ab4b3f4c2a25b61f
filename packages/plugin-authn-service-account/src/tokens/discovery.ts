import type { ApiRoute } from '@continuo/workload'
import type { KeyRing } from '../keys/key-ring.ts'
import { publicJwk } from '../keys/token-key.ts'

export const configurationPath = '.well-known/openid-configuration'
export const keysPath = 'openid/v1/jwks'

/** The document by which others find the keys (OpenID Connect Discovery). `base` is where the API is reached. */
export const configurationRoute = (keys: KeyRing, issuer: string, base: () => string): ApiRoute => ({
  get: () => ({
    body: JSON.stringify({
      issuer,
      jwks_uri: `${base()}/${keysPath}`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [...new Set(keys.verifying.map(({ algorithm }) => algorithm))],
    }),
  }),
})

/** The public keys that verify tokens (RFC 7517). */
export const keysRoute = (keys: KeyRing): ApiRoute => ({
  get: async () => ({
    type: 'application/jwk-set+json',
    body: JSON.stringify({ keys: await Promise.all(keys.verifying.map(publicJwk)) }),
  }),
})
