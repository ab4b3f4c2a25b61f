import 'reflect-metadata'
import { type DependencyContainer, container as root } from 'tsyringe'
import { ContinuoError } from '../errors/continuo-error.ts'
import type { AnyCapability, Providers } from './capability.ts'
import { ProviderSlot } from './handle.ts'

/** Providers of one capability by key; capabilities of one provider use the key `''`. */
interface Registration {
  readonly capability: AnyCapability
  readonly slots: Map<string, { readonly slot: ProviderSlot; owner: string }>
}

const slotName = (capability: AnyCapability, key: string): string =>
  key === '' ? capability.id : `${capability.id} ${JSON.stringify(key)}`

/**
 * The host's private container: values only, under `Symbol.for` keys, in a tsyringe container that nobody else sees.
 * Duplicates and missing providers are found here, because tsyringe would let the last registration win in silence.
 */
export class CapabilityContainer {
  readonly #container: DependencyContainer = root.createChildContainer()

  #registration(capability: AnyCapability): Registration | undefined {
    return this.#container.isRegistered(capability.key) ? this.#container.resolve<Registration>(capability.key) : undefined
  }

  #obtain(capability: AnyCapability): Registration {
    const known = this.#registration(capability)
    if (known !== undefined) return known
    const registration: Registration = { capability, slots: new Map() }
    this.#container.register<Registration>(capability.key, {
      useValue: registration,
    })
    return registration
  }

  /**
   * Puts a provider in place. Throws `CAPABILITY_DUPLICATE` when the place is taken.
   * The function that it returns takes the provider away; handles stay and wait for the next one.
   */
  provide(capability: AnyCapability, provider: object, owner: string, key = ''): () => void {
    const { slots } = this.#obtain(capability)
    const taken = slots.get(key)
    if (taken?.slot.filled === true) {
      throw new ContinuoError('CAPABILITY_DUPLICATE', `${slotName(capability, key)} is provided by ${taken.owner} and by ${owner}`, {
        hint: 'remove one of the two slots',
      })
    }
    const place = taken ?? {
      slot: new ProviderSlot(capability, slotName(capability, key)),
      owner,
    }
    place.owner = owner
    place.slot.fill(provider)
    slots.set(key, place)
    return () => {
      if (place.owner !== owner) return
      place.slot.empty()
      // A swappable place is kept: consumers hold its handle.
      if (!capability.swappable) slots.delete(key)
    }
  }

  /** The places that an owner fills, for draining. */
  ownedBy(owner: string, capabilities: readonly AnyCapability[]): readonly ProviderSlot[] {
    return capabilities.flatMap((capability) =>
      [...(this.#registration(capability)?.slots.values() ?? [])].filter((place) => place.owner === owner).map((place) => place.slot),
    )
  }

  /** True when there is a provider now. */
  has(capability: AnyCapability): boolean {
    return [...(this.#registration(capability)?.slots.values() ?? [])].some((place) => place.slot.filled)
  }

  /** What a consumer receives: by cardinality the provider, the provider or nothing, or the live view of all. Throws `CAPABILITY_MISSING`. */
  resolve(capability: AnyCapability, consumer: string): unknown {
    if (capability.cardinality === 'many') return this.#providers(capability)
    const place = this.#registration(capability)?.slots.get('')
    if (place !== undefined && (place.slot.filled || capability.swappable)) return place.slot.value
    if (capability.cardinality === 'optional') return undefined
    throw new ContinuoError('CAPABILITY_MISSING', `${consumer} needs ${capability.id}, which nothing provides`, {
      hint: `add a plugin that provides ${capability.id}`,
    })
  }

  /** The provider itself, at this moment. Throws `CAPABILITY_UNAVAILABLE`. */
  current(capability: AnyCapability): unknown {
    const place = this.#registration(capability)?.slots.get('')
    if (place?.slot.current !== undefined) return place.slot.current
    throw new ContinuoError('CAPABILITY_UNAVAILABLE', `${capability.id} has no provider at the moment`, {
      hint: 'its plugin has not been set up yet, is being replaced or has stopped: call again later',
    })
  }

  /** Refuses the calls that wait for a provider. */
  close(capabilities: readonly AnyCapability[]): void {
    for (const capability of capabilities) for (const place of this.#registration(capability)?.slots.values() ?? []) place.slot.close()
  }

  #providers(capability: AnyCapability): Providers<unknown> {
    const { slots } = this.#obtain(capability)
    // Asked for with each request, and other than before only when a plugin came or went.
    let known: readonly [string, unknown][] = []
    let seen: readonly unknown[] = []
    const isAsSeen = (): boolean => {
      let at = 0
      for (const { slot } of slots.values()) if (slot.filled && seen[at++] !== slot.value) return false
      return at === seen.length
    }
    const filled = (): readonly [string, unknown][] => {
      if (isAsSeen()) return known
      const now = [...slots].filter(([, place]) => place.slot.filled).map(([key, place]): [string, unknown] => [key, place.slot.value])
      seen = now.map(([, value]) => value)
      known = now.sort(([a], [b]) => (a < b ? -1 : 1))
      return known
    }
    return {
      get: (key) => {
        const place = slots.get(key)
        return place?.slot.filled === true ? place.slot.value : undefined
      },
      keys: () => filled().map(([key]) => key),
      get size() {
        return filled().length
      },
      [Symbol.iterator]: () => filled()[Symbol.iterator](),
    }
  }
}
