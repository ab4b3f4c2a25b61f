import type { PodNetwork } from '@continuo/workload'
import type { ContainerInspectInfo } from './daemon/daemon.ts'
import { readHostPorts, readSandbox } from './labels.ts'

/**
 * Where a sandbox's addresses come from: the pod network when there is one, else Docker's. What the pod network said is kept for each
 * sandbox; asking it again gives the same, so nothing is lost with us.
 */
export class SandboxAddresses {
  readonly #network: PodNetwork | undefined
  readonly #hostAddress: () => string
  readonly #attached = new Map<string, Promise<readonly string[]>>()

  constructor(network: PodNetwork | undefined, hostAddress: () => string) {
    this.#network = network
    this.#hostAddress = hostAddress
  }

  /** The network to make a sandbox on when it is not the host's. */
  dockerNetwork(configured: string): string {
    return this.#network === undefined ? configured : 'none'
  }

  /** Idempotent. The sandbox must be running. */
  async of({ Config, HostConfig, NetworkSettings, State }: ContainerInspectInfo): Promise<readonly string[]> {
    if (HostConfig.NetworkMode === 'host') return [this.#hostAddress()]
    const identity = readSandbox(Config.Labels)
    if (this.#network === undefined)
      return Object.values(NetworkSettings.Networks ?? {}).flatMap((one) =>
        [one.IPAddress, one.GlobalIPv6Address].filter((ip) => ip !== ''),
      )
    const known = this.#attached.get(identity.uid)
    if (known !== undefined) return known
    const request = { ...identity, netns: `/proc/${State.Pid}/ns/net`, hostPorts: readHostPorts(Config.Labels) }
    const asked = this.#network.attach(request).then(({ ips }) => ips)
    this.#attached.set(identity.uid, asked)
    asked.catch(() => this.#attached.delete(identity.uid))
    return asked
  }

  /** Idempotent. Before the namespace goes. */
  async release(uid: string): Promise<void> {
    this.#attached.delete(uid)
    await this.#network?.detach(uid)
  }

  /** Gives back the addresses of sandboxes that are no more. */
  async reap(uids: ReadonlySet<string>): Promise<void> {
    for (const uid of (await this.#network?.attached()) ?? []) if (!uids.has(uid)) await this.release(uid)
  }
}
