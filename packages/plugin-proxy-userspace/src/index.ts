import { definePlugin } from '@continuo/core'
import { ServiceProxyCap } from '@continuo/workload'
import { z } from 'zod'
import { UserspaceProxy } from './userspace-proxy.ts'

export { UserspaceProxy, type UserspaceProxyOptions } from './userspace-proxy.ts'

/** Service addresses on the loopback range, forwarded in this process. */
export const proxyUserspace = definePlugin({
  name: 'proxy-userspace',
  api: '^1',
  roles: ['node'],
  config: z.strictObject({
    nodePortAddress: z.string().default('127.0.0.1').describe('Address on which node ports listen; 0.0.0.0 opens them to the network.'),
  }),
  provides: [ServiceProxyCap],
  setup(ctx) {
    ctx.provide(ServiceProxyCap, new UserspaceProxy({ clock: ctx.clock, log: ctx.log, nodePortAddress: ctx.config.nodePortAddress }))
  },
})

export default proxyUserspace
