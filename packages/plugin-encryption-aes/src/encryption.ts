import { createSecretKey, type KeyObject } from 'node:crypto'
import { ContinuoError, definePlugin, RandomCap, ValueTransformCap } from '@continuo/core'
import { z } from 'zod'
import { AesTransform } from './aes-transform.ts'
import { encryptedResources } from './encrypted-resources.ts'

const keyLength = 32

/** Configuration of the plugin `encryption`. */
export const encryptionConfig = z.strictObject({
  keys: z
    .array(z.strictObject({ name: z.string().regex(/^[\w.-]{1,63}$/), secret: z.string().min(1) }))
    .min(1)
    .describe('Keys by name, 32 bytes in base64 each, by `fromEnv` or `fromFile`. The first encrypts, all decrypt.'),
  resources: z
    .array(z.string().min(1))
    .min(1)
    .default(['secrets'])
    .describe('What is encrypted: `secrets`, `widgets.example.com`, `*.example.com`, or `*` for every object.'),
})

/** Encrypts objects between codec and store with AES-256-GCM. What was written plain or with an older key is read too. */
export const encryption = definePlugin({
  name: 'encryption',
  api: '^1',
  config: encryptionConfig,
  requires: { random: RandomCap },
  provides: [ValueTransformCap],
  setup(ctx) {
    const { keys, resources } = ctx.config
    const named = new Map<string, KeyObject>()
    for (const { name, secret } of keys) {
      if (named.has(name))
        throw new ContinuoError('ENCRYPTION_KEY', `two keys are named ${JSON.stringify(name)}`, { hint: 'give each key a name of its own' })
      named.set(name, readKey(name, secret))
    }
    const first = (keys[0] as { name: string }).name
    ctx.provide(ValueTransformCap, new AesTransform(named, first, encryptedResources(resources), ctx.use.random))
  },
})

/** The message names the key and never shows it. */
function readKey(name: string, secret: string): KeyObject {
  const bytes = /^[A-Za-z\d+/]+={0,2}$/.test(secret) ? Buffer.from(secret, 'base64') : Buffer.alloc(0)
  if (bytes.length === keyLength) return createSecretKey(bytes)
  throw new ContinuoError('ENCRYPTION_KEY', `the key ${JSON.stringify(name)} is not ${keyLength} bytes in base64`, {
    hint: 'make one with `head -c 32 /dev/urandom | base64`',
  })
}
