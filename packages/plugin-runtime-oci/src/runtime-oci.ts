import { join } from 'node:path'
import { ClockCap, definePlugin, HostSettingsCap, LogCap, optional } from '@continuo/core'
import { PodNetworkCap, RuntimeCap } from '@continuo/workload'
import { runtimeOciConfig } from './config.ts'
import { OciRuntime } from './oci-runtime.ts'

/** Provides `runtime/v1` by an OCI runtime, without a daemon. */
export const runtimeOci = definePlugin({
  name: 'runtime-oci',
  api: '^1',
  roles: ['node'],
  config: runtimeOciConfig,
  requires: { clock: ClockCap, log: LogCap, network: optional(PodNetworkCap), settings: optional(HostSettingsCap) },
  provides: [RuntimeCap],
  setup(ctx) {
    const directory = ctx.config.directory ?? join(ctx.use.settings?.dataDir ?? '.continuo', 'runtime-oci')
    const runtime = new OciRuntime({
      config: { ...ctx.config, directory },
      network: ctx.use.network,
      clock: ctx.use.clock,
      random: ctx.random,
      log: ctx.log,
    })
    ctx.provide(RuntimeCap, runtime)
    ctx.onStop(() => runtime.close())
  },
})
