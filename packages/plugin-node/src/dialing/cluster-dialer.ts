import { definePlugin, optional } from '@continuo/core'
import { ClusterDialerCap, ConnectHandlerCap, NodeDialerCap } from '@continuo/workload'
import { z } from 'zod'
import { ClusterDialing } from './cluster-dialing.ts'
import { proxyHandlers } from './proxy-handlers.ts'

const config = z.strictObject({
  allowLoopback: z
    .boolean()
    .default(false)
    .describe('Services without pods may lead to loopback addresses of this machine. For tests, and where nothing else listens there.'),
})

/** Reaches pods and services from the control plane, through the connections of nodes: `pods/proxy`, `services/proxy`, and other plugins' requests. */
export const clusterDialer = definePlugin({
  name: 'cluster-dialer',
  api: '^1',
  roles: ['control-plane'],
  config,
  requires: { nodes: optional(NodeDialerCap) },
  provides: [ClusterDialerCap, ConnectHandlerCap],
  permissions: [
    { apiGroups: [''], resources: ['pods', 'services'], verbs: ['get'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list'] },
  ],
  setup(ctx) {
    const dialing = new ClusterDialing({
      client: ctx.client,
      random: ctx.random,
      clock: ctx.clock,
      nodes: ctx.use.nodes,
      allowLoopback: ctx.config.allowLoopback,
    })
    ctx.provide(ClusterDialerCap, dialing)
    for (const [key, handler] of proxyHandlers(dialing)) ctx.provide(ConnectHandlerCap, handler, key)
  },
})
