import { ClockCap, definePlugin } from '@continuo/core'
import { NodeDialerCap, NodeUplinkCap, UpgradeRouteCap } from '@continuo/workload'
import { z } from 'zod'
import { LocalConnections } from './local-connections.ts'
import { heartbeatConfig, upgradeRoot } from './protocol.ts'
import { RemoteConnections } from './remote-connections.ts'

const config = z.strictObject(heartbeatConfig).prefault({})

/**
 * The control plane's way to agents: those in its process, which inherit the uplink, and those on other machines, which connect through
 * the API's own port. A node in this process goes before a connection in its name.
 */
export const nodeConnections = definePlugin({
  name: 'node-connections',
  api: '^1',
  roles: ['control-plane'],
  config,
  requires: { clock: ClockCap },
  provides: [NodeDialerCap, NodeUplinkCap, UpgradeRouteCap],
  setup(ctx) {
    const local = new LocalConnections()
    const remote = new RemoteConnections({
      heartbeat: { clock: ctx.clock, pingMs: ctx.config.pingSeconds * 1_000, timeoutMs: ctx.config.pingTimeoutSeconds * 1_000 },
      log: ctx.log,
      open: ctx.metrics.gauge('node_connections', 'Nodes on other machines whose agents are connected.'),
    })
    ctx.provide(NodeDialerCap, {
      dial: (node, signal) => (local.connected().includes(node) ? local : remote).dial(node, signal),
      connected: () => [...new Set([...local.connected(), ...remote.connected()])],
    })
    ctx.provide(NodeUplinkCap, local)
    ctx.provide(UpgradeRouteCap, remote, upgradeRoot)
    ctx.onStop(async () => remote.close())
  },
})
