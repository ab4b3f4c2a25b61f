import { type PodAttachment, type PodNetwork, type PodNetworkRequest, RuntimeError } from '@continuo/workload'

interface Held extends PodAttachment {
  readonly own: boolean
}

/** What outlives an instance: the state on disk and in the kernel. */
export interface SimulatedHost {
  readonly size: number
  /** By uid. */
  readonly held: Map<string, Held>
  /** Address by namespace that exists; undefined while it is connected to nothing. */
  readonly namespaces: Map<string, string | undefined>
  next: number
}

/** A pod network in memory that keeps every duty. */
export class SimulatedPodNetwork implements PodNetwork {
  readonly #host: SimulatedHost

  constructor(host: SimulatedHost) {
    this.#host = host
  }

  async attach({ uid, netns }: PodNetworkRequest): Promise<PodAttachment> {
    const known = this.#host.held.get(uid)
    const path = netns ?? `/simulated/${uid}`
    const ips = known?.ips ?? [this.#free()]
    if (known !== undefined && known.netns !== path) this.#disconnect(known)
    this.#host.held.set(uid, { ips, netns: path, own: netns === undefined })
    this.#host.namespaces.set(path, ips[0])
    return { ips, netns: path }
  }

  async detach(uid: string): Promise<void> {
    const known = this.#host.held.get(uid)
    if (known === undefined) return
    this.#host.held.delete(uid)
    this.#disconnect(known)
  }

  async attached(): Promise<readonly string[]> {
    return [...this.#host.held.keys()]
  }

  #disconnect({ netns, own }: Held): void {
    if (own) this.#host.namespaces.delete(netns)
    else this.#host.namespaces.set(netns, undefined)
  }

  #free(): string {
    const used = new Set([...this.#host.held.values()].flatMap(({ ips }) => ips))
    for (let tried = 0; tried < this.#host.size; tried++) {
      this.#host.next = (this.#host.next + 1) % this.#host.size
      const ip = `10.0.0.${this.#host.next + 1}`
      if (!used.has(ip)) return ip
    }
    throw new RuntimeError('RUNTIME_UNAVAILABLE', 'no free address')
  }
}
