import { definePlugin } from '@continuo/core'
import { ProberCap } from '@continuo/workload'
import { execProbe } from './exec-probe.ts'
import { httpProbe } from './http-probe.ts'
import { tcpProbe } from './tcp-probe.ts'

export { execProbe } from './exec-probe.ts'
export { httpProbe } from './http-probe.ts'
export { tcpProbe } from './tcp-probe.ts'

/** HTTP, TCP and exec probes. */
export const probe = definePlugin({
  name: 'probe',
  api: '^1',
  roles: ['node'],
  provides: [ProberCap],
  setup(ctx) {
    ctx.provide(ProberCap, httpProbe, 'httpGet')
    ctx.provide(ProberCap, tcpProbe, 'tcpSocket')
    ctx.provide(ProberCap, execProbe, 'exec')
  },
})

export default probe
