import { hostname } from 'node:os'
import { join } from 'node:path'
import { ClockCap, definePlugin, HostSettingsCap, LogCap, optional } from '@continuo/core'
import { Node, PodNetworkCap } from '@continuo/workload'
import { type AddressRange, parseRange } from './address-pool.ts'
import { networkConfig } from './config.ts'
import { addressOf, peersOf, rangesOf } from './node-routes.ts'
import { RouteKeeper } from './route-keeper.ts'
import { RoutedNetwork } from './routed-network.ts'
import { Turns } from './turns.ts'

/** Bytes that the overlay's headers take of each packet. */
const overlayBytes = 50

/** Gives each pod a network namespace and an address of the node's range, and keeps the routes to the pods of other nodes. */
export const networkRouted = definePlugin({
  name: 'network-routed',
  api: '^1',
  roles: ['node'],
  config: networkConfig,
  requires: { clock: ClockCap, log: LogCap, settings: optional(HostSettingsCap) },
  provides: [PodNetworkCap],
  permissions: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] }],
  setup(ctx) {
    const { config } = ctx
    const name = config.nodeName ?? hostname().toLowerCase()
    const mtu = config.mtu ?? 1_500 - (config.between === 'vxlan' ? overlayBytes : 0)
    const network = new RoutedNetwork({
      directory: config.directory ?? join(ctx.use.settings?.dataDir ?? '.continuo', 'network'),
      mtu,
      table: config.table,
      rangeWaitMs: config.rangeWaitMs,
      clock: ctx.clock,
      log: ctx.log,
      ...(config.netns === undefined ? {} : { netns: config.netns }),
    })
    const routes = new RouteKeeper({ kernel: network.kernel, between: config.between, vxlan: config.vxlan, mtu })
    const configured: readonly AddressRange[] = config.podRanges.flatMap((range) => parseRange(range) ?? [])
    const nodes = ctx.informer(Node)
    const turns = new Turns()
    const changed = ctx.metrics.counter(
      'continuo_pod_network_route_changes_total',
      'Routes and overlay entries to other nodes that were changed.',
    )

    const follow = async (): Promise<void> => {
      const all = nodes.lister.list()
      const self = nodes.lister.get(name)
      const ranges = configured.length > 0 ? configured : self === undefined ? [] : rangesOf(self)
      const peers = peersOf(all, name)
      // A node that is not registered yet, or not any more, keeps the range that it has: its pods still run.
      if (ranges.length === 0) return
      await network.setRanges(ranges)
      await network.setClusterRanges([...config.clusterRanges, ...peers.flatMap((peer) => peer.ranges.map(({ cidr }) => cidr))])
      const changes = await routes.sync({ address: self && addressOf(self), ranges }, peers)
      if (changes > 0) changed.inc({}, changes)
    }
    let asked = false
    /** At most one look waits while another runs. */
    const look = (): void => {
      if (asked || ctx.signal.aborted) return
      asked = true
      void turns
        .take('nodes', async () => {
          asked = false
          await network.open()
          await follow()
        })
        .catch((error: unknown) => ctx.log.warn({ error: String(error) }, 'the routes to other nodes could not be brought up to date'))
    }
    nodes.on({
      added: look,
      // Heartbeats say nothing about ranges and addresses.
      updated: (node, old) =>
        void (
          (addressOf(node) !== addressOf(old) ||
            String(rangesOf(node).map(({ cidr }) => cidr)) !== String(rangesOf(old).map(({ cidr }) => cidr))) &&
          look()
        ),
      deleted: look,
    })
    ctx.provide(PodNetworkCap, network)
    ctx.onStart('controllers', async () => {
      await network.open()
      look()
      ctx.every(config.resyncMs, async () => {
        await network
          .mend()
          .catch((error: unknown) => ctx.log.warn({ error: String(error) }, 'the rules of the pod network could not be put right'))
        look()
      })
    })
  },
})
