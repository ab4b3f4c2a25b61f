import { join } from 'node:path'
import { definePlugin, HostSettingsCap, ObjectServiceCap, optional, SubresourceActionCap } from '@continuo/core'
import { ApiEndpointCap, ApiRouteCap, AuthenticatorCap } from '@continuo/workload'
import { z } from 'zod'
import { KeyRing } from './keys/key-ring.ts'
import { tokenAlgorithms } from './keys/token-key.ts'
import { BoundObjects } from './tokens/bound-objects.ts'
import { configurationPath, configurationRoute, keysPath, keysRoute } from './tokens/discovery.ts'
import { TokenAuthenticator } from './tokens/token-authenticator.ts'
import { TokenCodec } from './tokens/token-codec.ts'
import { TokenRequests } from './tokens/token-request.ts'

const dayMs = 86_400_000

/** Configuration of the plugin `service-account-tokens`. */
export const tokensConfig = z
  .strictObject({
    issuer: z.string().min(1).default('https://kubernetes.default.svc.cluster.local').describe('Who issues the tokens: their `iss`.'),
    audiences: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('What the API calls itself: tokens for one of these are good for it. Default: the issuer.'),
    algorithm: z.enum(tokenAlgorithms).default('ES256').describe('How new keys sign.'),
    directory: z
      .string()
      .min(1)
      .optional()
      .describe('Where the keys are kept. Default: `service-account-tokens` in the data directory; without one, in memory.'),
    rotateDays: z
      .int()
      .positive()
      .default(90)
      .describe('Age at which a new key takes over. The old one goes on verifying as long as its tokens may live.'),
    maxSeconds: z.int().min(3_600).default(31_536_000).describe('Longest life of a token.'),
    signingKeyFile: z
      .string()
      .min(1)
      .optional()
      .describe('A private key in PEM that several replicas share. It is never rotated or written.'),
    verificationKeyFiles: z.array(z.string().min(1)).default([]).describe('Further keys in PEM whose tokens are accepted.'),
  })
  .prefault({})

/**
 * Tokens of service accounts: issues them (`serviceaccounts/token`), recognises their bearers while the objects that they are bound
 * to exist, and publishes the keys (`/openid/v1/jwks`).
 */
export const serviceAccountTokens = definePlugin({
  name: 'service-account-tokens',
  api: '^1',
  config: tokensConfig,
  requires: { service: ObjectServiceCap, settings: optional(HostSettingsCap), endpoint: optional(ApiEndpointCap) },
  provides: [AuthenticatorCap, SubresourceActionCap, ApiRouteCap],
  async setup(ctx) {
    const { config, use, clock, random } = ctx
    const { issuer, maxSeconds } = config
    const audiences = config.audiences ?? [issuer]
    const directory = config.directory ?? (use.settings === undefined ? undefined : join(use.settings.dataDir, 'service-account-tokens'))
    const keys = new KeyRing({
      file: directory === undefined ? undefined : join(directory, 'keys.json'),
      algorithm: config.algorithm,
      rotateMs: config.rotateDays * dayMs,
      keepMs: maxSeconds * 1_000,
      ...(config.signingKeyFile === undefined ? {} : { signingKeyFile: config.signingKeyFile }),
      verificationKeyFiles: config.verificationKeyFiles,
    })
    await keys.refresh(clock.now())
    ctx.every(dayMs, () => keys.refresh(clock.now()))
    const codec = new TokenCodec(keys, issuer)
    const objects = new BoundObjects(use.service, clock)
    ctx.provide(AuthenticatorCap, new TokenAuthenticator({ codec, objects, clock, issuer, audiences }), 'service-account')
    ctx.provide(
      SubresourceActionCap,
      new TokenRequests({ codec, objects, clock, random, issuer, audiences, maxSeconds }),
      '/serviceaccounts/token',
    )
    ctx.provide(
      ApiRouteCap,
      configurationRoute(keys, issuer, () => use.endpoint?.url ?? issuer),
      configurationPath,
    )
    ctx.provide(ApiRouteCap, keysRoute(keys), keysPath)
  },
})
