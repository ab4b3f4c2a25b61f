import { readFile } from 'node:fs/promises'
import { ContinuoError } from '@continuo/core'
import { readKeys, type StoredKeys, writeKeys } from './key-file.ts'
import {
  generateKey,
  readSigningKey,
  readVerificationKey,
  type SigningKey,
  type TokenAlgorithm,
  type VerificationKey,
} from './token-key.ts'

export interface KeyRingOptions {
  /** Where the ring is kept. Undefined: in memory, and tokens end with the process. */
  readonly file: string | undefined
  readonly algorithm: TokenAlgorithm
  /** Age at which a new key takes over. */
  readonly rotateMs: number
  /** How long a retired key verifies: the longest life of a token. */
  readonly keepMs: number
  /** A private key that is kept by somebody else; then nothing is written and nothing rotated. */
  readonly signingKeyFile?: string
  /** Further keys whose tokens are accepted. */
  readonly verificationKeyFiles?: readonly string[]
}

/** The next state of the keys: the same when nothing is due. Pure but for the new key. */
export async function rotated(keys: StoredKeys | undefined, options: KeyRingOptions, now: number): Promise<StoredKeys> {
  const fresh = async () => ({
    privateKey: (await generateKey(options.algorithm)).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    since: now,
  })
  if (keys === undefined) return { version: 1, current: await fresh(), retired: [] }
  const retired = keys.retired.filter(({ until }) => until + options.keepMs > now)
  const signing = readSigningKey(keys.current.privateKey, 'the current key')
  if (keys.current.since + options.rotateMs > now && signing.algorithm === options.algorithm)
    return retired.length === keys.retired.length ? keys : { ...keys, retired }
  const publicKey = signing.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return { version: 1, current: await fresh(), retired: [{ publicKey, until: now }, ...retired] }
}

/** The key that signs and all that verify. One process owns a ring's file. */
export class KeyRing {
  readonly #options: KeyRingOptions
  #stored: StoredKeys | undefined
  #signing: SigningKey | undefined
  #verifying = new Map<string, VerificationKey>()

  constructor(options: KeyRingOptions) {
    this.#options = options
  }

  /** Loads, and makes or rotates what is due. Call it before anything else, and from time to time. Throws `TOKEN_KEYS_*`. */
  async refresh(now: number): Promise<void> {
    const { signingKeyFile, verificationKeyFiles = [] } = this.#options
    const others = await Promise.all(verificationKeyFiles.map(async (file) => readVerificationKey(await readFile(file, 'utf8'), file)))
    if (signingKeyFile !== undefined) {
      const signing = readSigningKey(await readFile(signingKeyFile, 'utf8'), signingKeyFile)
      return this.#take(signing, others)
    }
    const keys = await this.#kept(now)
    const retired = keys.retired.map(({ publicKey }) => readVerificationKey(publicKey, 'a retired key'))
    this.#take(readSigningKey(keys.current.privateKey, 'the current key'), [...retired, ...others])
  }

  /** Throws when {@link KeyRing.refresh} was not called: a programming error. */
  get signing(): SigningKey {
    if (this.#signing === undefined) throw new ContinuoError('TOKEN_KEYS_NOT_LOADED', 'the keys of service account tokens were not loaded')
    return this.#signing
  }

  get verifying(): readonly VerificationKey[] {
    return [...this.#verifying.values()]
  }

  find(id: string | undefined): VerificationKey | undefined {
    return id === undefined ? undefined : this.#verifying.get(id)
  }

  async #kept(now: number): Promise<StoredKeys> {
    const { file } = this.#options
    const before = this.#stored ?? (file === undefined ? undefined : await readKeys(file))
    const keys = await rotated(before, this.#options, now)
    if (file !== undefined && keys !== before) await writeKeys(file, keys)
    this.#stored = keys
    return keys
  }

  #take(signing: SigningKey, others: readonly VerificationKey[]): void {
    this.#signing = signing
    this.#verifying = new Map([signing, ...others].map((key) => [key.id, key]))
  }
}
