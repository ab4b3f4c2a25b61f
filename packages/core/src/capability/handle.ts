import type { Clock } from '../clock/clock.ts'
import { withDeadline } from '../clock/deadline.ts'
import { ContinuoError } from '../errors/continuo-error.ts'
import type { AnyCapability } from './capability.ts'

/** Calls that wait for a new provider of a remotable capability; one more is refused. */
const maxWaiting = 1_024

/**
 * The place of one provider. What consumers of a swappable capability hold is {@link ProviderSlot.handle}:
 * it stays the same object while providers come and go, and counts the calls in flight.
 */
export class ProviderSlot {
  readonly #capability: AnyCapability
  readonly #name: string
  readonly #methods = new Map<PropertyKey, { readonly of: unknown; readonly wrapped: unknown }>()
  readonly #waiting = new Set<() => void>()
  #idle: (() => void)[] = []
  #inFlight = 0
  #current: object | undefined
  readonly handle: object

  constructor(capability: AnyCapability, name: string) {
    this.#capability = capability
    this.#name = name
    this.handle = capability.swappable ? this.#proxy() : {}
  }

  /** What consumers get: the stable handle, or the provider itself. */
  get value(): unknown {
    return this.#capability.swappable ? this.handle : this.#current
  }

  get current(): object | undefined {
    return this.#current
  }

  get filled(): boolean {
    return this.#current !== undefined
  }

  get inFlight(): number {
    return this.#inFlight
  }

  fill(provider: object): void {
    this.#current = provider
    this.#methods.clear()
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** New calls no longer reach the provider. */
  empty(): void {
    this.#current = undefined
    this.#methods.clear()
  }

  /** Wakes calls that wait for a provider that will never come: they are refused. */
  close(): void {
    this.empty()
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** Resolves when no call is in flight; rejects with `DEADLINE_EXCEEDED`. */
  async drained(clock: Clock, ms: number): Promise<void> {
    if (this.#inFlight === 0) return
    await withDeadline(
      clock,
      ms,
      `draining ${this.#inFlight} calls of ${this.#name}`,
      () => new Promise<void>((resolve) => this.#idle.push(resolve)),
    )
  }

  #absent(): ContinuoError {
    return new ContinuoError('CAPABILITY_UNAVAILABLE', `${this.#name} has no provider at the moment`, {
      hint: 'its plugin has not been set up yet, is being replaced or has stopped: call again later',
    })
  }

  #settled(): void {
    this.#inFlight -= 1
    if (this.#inFlight > 0) return
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
  }

  #invoke(property: PropertyKey, args: unknown[]): unknown {
    const provider = this.#current
    if (provider === undefined) {
      if (!this.#capability.remotable) throw this.#absent()
      return this.#waitAndInvoke(property, args)
    }
    this.#inFlight += 1
    let result: unknown
    try {
      result = (Reflect.get(provider, property) as (...args: unknown[]) => unknown).apply(provider, args)
    } catch (error) {
      this.#settled()
      throw error
    }
    if (result instanceof Promise) {
      return result.finally(() => this.#settled())
    }
    this.#settled()
    return result
  }

  async #waitAndInvoke(property: PropertyKey, args: unknown[]): Promise<unknown> {
    if (this.#waiting.size >= maxWaiting) throw this.#absent()
    await new Promise<void>((resolve) => this.#waiting.add(resolve))
    if (this.#current === undefined) throw this.#absent()
    return this.#invoke(property, args)
  }

  /** A method keeps its identity for as long as the provider stays, and works after it was taken off the handle. */
  #method(property: PropertyKey, of: unknown): unknown {
    const known = this.#methods.get(property)
    if (known !== undefined && known.of === of) return known.wrapped
    const wrapped = (...args: unknown[]): unknown => this.#invoke(property, args)
    this.#methods.set(property, { of, wrapped })
    return wrapped
  }

  #proxy(): object {
    const target = (): object => {
      if (this.#current === undefined) throw this.#absent()
      return this.#current
    }
    return new Proxy(Object.create(null) as object, {
      get: (_target, property) => {
        const provider = this.#current
        if (provider === undefined) {
          // An awaited or logged handle asks for these.
          if (property === 'then' || typeof property === 'symbol') return undefined
          if (this.#capability.remotable) return this.#method(property, undefined)
          throw this.#absent()
        }
        const value = Reflect.get(provider, property) as unknown
        return typeof value === 'function' ? this.#method(property, value) : value
      },
      has: (_target, property) => this.#current !== undefined && Reflect.has(this.#current, property),
      set: (_target, property, value) => Reflect.set(target(), property, value),
      ownKeys: () => (this.#current === undefined ? [] : Reflect.ownKeys(this.#current).filter((key) => typeof key === 'string')),
      getOwnPropertyDescriptor: (_target, property) => {
        const descriptor = this.#current === undefined ? undefined : Reflect.getOwnPropertyDescriptor(this.#current, property)
        return descriptor === undefined ? undefined : { ...descriptor, configurable: true }
      },
    })
  }
}
