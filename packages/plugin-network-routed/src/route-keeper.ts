import { type AddressRange, formatAddress } from './address-pool.ts'
import type { NetworkConfig } from './config.ts'
import type { Kernel } from './kernel.ts'
import { type KernelRoute, type OverlayEntries, overlayEntries, type Peer, planOverlay, planRoutes, wantedRoutes } from './node-routes.ts'
import { hardwareAddress, routeProtocol } from './wiring.ts'

/** What this node is to the others. */
export interface Self {
  /** Undefined while the node has none. */
  readonly address: string | undefined
  readonly ranges: readonly AddressRange[]
}

export interface RouteKeeperOptions {
  readonly kernel: Kernel
  readonly between: NetworkConfig['between']
  readonly vxlan: NetworkConfig['vxlan']
  readonly mtu: number
}

interface Entry {
  readonly dst: string
  readonly lladdr?: string
}

interface ForwardingEntry {
  readonly mac: string
  readonly dst?: string
}

/** Keeps the routes to other nodes' pods as they should be; reads the kernel each time, so what others removed comes back. */
export class RouteKeeper {
  readonly #options: RouteKeeperOptions
  readonly #device: string

  constructor(options: RouteKeeperOptions) {
    this.#options = options
    this.#device = `cnx${options.vxlan.id}`
  }

  /** Resolves with the number of changes. Call it with one at a time. */
  async sync(self: Self, peers: readonly Peer[]): Promise<number> {
    const { kernel, between } = this.#options
    const others = between === 'none' ? [] : peers
    const overlay = between === 'vxlan' ? this.#device : undefined
    let changes = 0
    if (overlay !== undefined) {
      if (self.address === undefined || self.ranges.length === 0) return 0
      changes += await this.#keepDevice(self.address, self.ranges)
      changes += await this.#keepEntries(others)
    }
    const lines = planRoutes(await this.#routes(), wantedRoutes(self.ranges, others, overlay))
    await kernel.batch(lines)
    return changes + lines.length
  }

  /** Removes the routes to ranges, and the overlay. */
  async clear(): Promise<void> {
    await this.#options.kernel.batch(planRoutes(await this.#routes(), []))
    if ((await this.#options.kernel.links()).has(this.#device)) await this.#options.kernel.batch([`link del ${this.#device}`])
  }

  async #routes(): Promise<readonly KernelRoute[]> {
    return this.#list<KernelRoute>(['ip', '-json', '-details', 'route', 'show', 'proto', String(routeProtocol)])
  }

  async #keepDevice(address: string, ranges: readonly AddressRange[]): Promise<number> {
    const { kernel, vxlan, mtu } = this.#options
    const device = this.#device
    if ((await kernel.links()).has(device)) {
      const [found] = await this.#list<{ address?: string; mtu?: number; linkinfo?: { info_data?: { local?: string; port?: number } } }>([
        ...['ip', '-json', '-details', 'link', 'show', device],
      ])
      const { local, port } = found?.linkinfo?.info_data ?? {}
      if (local === address && port === vxlan.port && found?.mtu === mtu && found.address === hardwareAddress(address)) return 0
      await kernel.batch([`link del ${device}`])
    }
    await kernel.batch([
      `link add ${device} mtu ${mtu} address ${hardwareAddress(address)} type vxlan id ${vxlan.id} local ${address} dstport ${vxlan.port} nolearning`,
      ...ranges.map(({ base }) => `addr replace ${formatAddress(base)}/32 dev ${device}`),
      `link set ${device} up`,
    ])
    return 1
  }

  async #keepEntries(peers: readonly Peer[]): Promise<number> {
    const { kernel } = this.#options
    const [neighbours, forwarding] = await Promise.all([
      this.#list<Entry>(['ip', '-json', 'neigh', 'show', 'dev', this.#device, 'nud', 'permanent']),
      this.#list<ForwardingEntry>(['bridge', '-json', 'fdb', 'show', 'dev', this.#device]),
    ])
    const present: OverlayEntries = {
      neighbours: new Map(neighbours.flatMap(({ dst, lladdr }) => (lladdr === undefined ? [] : [[dst, lladdr] as const]))),
      forwarding: new Map(forwarding.flatMap(({ mac, dst }) => (dst === undefined ? [] : [[mac, dst] as const]))),
    }
    const plan = planOverlay(this.#device, present, overlayEntries(peers))
    await kernel.batch(plan.ip)
    if (plan.bridge.length > 0) await kernel.run(['bridge', '-batch', '-'], plan.bridge.map((line) => `${line}\n`).join(''))
    return plan.ip.length + plan.bridge.length
  }

  async #list<T>(command: readonly string[]): Promise<readonly T[]> {
    const printed = (await this.#options.kernel.run(command)).trim()
    return printed === '' ? [] : (JSON.parse(printed) as readonly T[])
  }
}
