import { ClockCap, definePlugin, RandomCap } from '@continuo/core'
import { EndpointSlice, NodeUplinkCap, RemoteApiCap } from '@continuo/workload'
import { z } from 'zod'
import { heartbeatConfig } from './protocol.ts'
import { apiService, replicaOrigins } from './replicas.ts'
import { Uplink } from './uplink.ts'

const config = z.strictObject(heartbeatConfig).prefault({})

/**
 * Offers an agent to a control plane on other machines: it opens one connection to each live replica, so that logs, exec and port-forward
 * work for a node that nobody can connect to. For node hosts whose object client is `client-http`.
 */
export const nodeUplink = definePlugin({
  name: 'node-uplink',
  api: '^1',
  roles: ['node'],
  config,
  requires: { access: RemoteApiCap, clock: ClockCap, random: RandomCap },
  provides: [NodeUplinkCap],
  permissions: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] }],
  setup(ctx) {
    const { access } = ctx.use
    const slices = ctx.informer(EndpointSlice, apiService)
    const uplink = new Uplink({
      access,
      heartbeat: { clock: ctx.clock, pingMs: ctx.config.pingSeconds * 1_000, timeoutMs: ctx.config.pingTimeoutSeconds * 1_000 },
      random: ctx.random,
      clock: ctx.clock,
      log: ctx.log,
    })
    const follow = (): void => {
      const origins = replicaOrigins(slices.lister.list(), access.server)
      access.follow(origins)
      uplink.follow(origins)
    }
    slices.on({ added: follow, updated: follow, deleted: follow })
    ctx.provide(NodeUplinkCap, uplink)
    ctx.onStart('controllers', follow)
    ctx.onStop(async () => uplink.close())
  },
})
