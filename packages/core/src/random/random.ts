import { capability } from '../capability/capability.ts'

/** Randomness, injected so that a seed reproduces a whole run. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Cryptographically strong in production; from the seed in simulations. */
  bytes(length: number): Uint8Array
  /** A version 4 UUID. */
  uuid(): string
  /** `length` characters of `bcdfghjklmnpqrstvwxz2456789`, the alphabet of Kubernetes' generated names. */
  suffix(length: number): string
}

export const RandomCap = capability<Random>('random/v1')
