/** How many providers a capability has: exactly one, at most one, or many told apart by a key. */
export type Cardinality = 'one' | 'optional' | 'many'

declare const type: unique symbol

/**
 * A typed token for something that a plugin calls and cannot run without.
 * Its id carries its major version (`store/v1`) and becomes a `Symbol.for`, so that two copies of a package agree on it.
 */
export interface Capability<T, C extends Cardinality = Cardinality> {
  readonly id: string
  readonly key: symbol
  readonly cardinality: C
  /** Consumers get a stable handle that counts calls in flight, so that the provider can be replaced while running. */
  readonly swappable: boolean
  /** Every method is asynchronous and takes cloneable values or streams: it may live in a worker or another process. */
  readonly remotable: boolean
  readonly [type]?: T
}

/** What a consumer of a `many` capability gets: a live view of its providers by key. */
export interface Providers<T> extends Iterable<readonly [key: string, provider: T]> {
  get(key: string): T | undefined
  keys(): readonly string[]
  readonly size: number
}

/** What a plugin receives for a token that it requires. */
export type Resolved<C> =
  C extends Capability<infer T, infer K> ? (K extends 'many' ? Providers<T> : K extends 'optional' ? T | undefined : T) : never

// biome-ignore lint/suspicious/noExplicitAny: types are erased in maps of tokens on purpose
export type AnyCapability = Capability<any, Cardinality>

export interface CapabilityOptions<C extends Cardinality> {
  readonly cardinality?: C
  readonly swappable?: boolean
  readonly remotable?: boolean
}

/**
 * Declares a capability.
 * @example export const StoreCap = capability<Store>('store/v1', { swappable: true })
 */
export function capability<T, C extends Cardinality = 'one'>(
  id: `${string}/v${number}`,
  options: CapabilityOptions<C> = {},
): Capability<T, C> {
  return {
    id,
    key: Symbol.for(`continuo/capability/${id}`),
    cardinality: options.cardinality ?? ('one' as C),
    swappable: options.swappable ?? false,
    remotable: options.remotable ?? false,
  }
}

/** The same token, required only if somebody provides it. */
export const optional = <T>(token: Capability<T, 'one'>): Capability<T, 'optional'> => ({ ...token, cardinality: 'optional' })
