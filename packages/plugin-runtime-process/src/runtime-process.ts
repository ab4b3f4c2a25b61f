import { join } from 'node:path'
import { ClockCap, definePlugin, HostSettingsCap, LogCap, optional } from '@continuo/core'
import { RuntimeCap } from '@continuo/workload'
import { runtimeProcessConfig } from './config.ts'
import { ProcessRuntime } from './process-runtime.ts'

/** Provides `runtime/v1` by processes of the host, each container under a shim of its own. */
export const runtimeProcess = definePlugin({
  name: 'runtime-process',
  api: '^1',
  roles: ['node'],
  config: runtimeProcessConfig,
  requires: { clock: ClockCap, log: LogCap, settings: optional(HostSettingsCap) },
  provides: [RuntimeCap],
  setup(ctx) {
    const runtime = new ProcessRuntime({
      config: { ...ctx.config, directory: ctx.config.directory ?? join(ctx.use.settings?.dataDir ?? '.continuo', 'runtime') },
      clock: ctx.use.clock,
      log: ctx.log,
      env: { PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin' },
    })
    ctx.provide(RuntimeCap, runtime)
    ctx.onStop(() => runtime.close())
  },
})

export default runtimeProcess
