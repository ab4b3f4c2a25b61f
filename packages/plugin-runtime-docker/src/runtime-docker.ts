import { networkInterfaces } from 'node:os'
import { resolve } from 'node:path'
import { ClockCap, definePlugin, HostSettingsCap, LogCap, optional } from '@continuo/core'
import { PodNetworkCap, RuntimeCap } from '@continuo/workload'
import { runtimeDockerConfig } from './config.ts'
import { Daemon } from './daemon/daemon.ts'
import { DockerRuntime } from './docker-runtime.ts'
import { diskUsage, ImageCollector } from './images/image-collector.ts'

/** The first address of this machine that others can reach. */
function hostAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}

/** Provides `runtime/v1` by containers of Docker. */
export const runtimeDocker = definePlugin({
  name: 'runtime-docker',
  api: '^1',
  roles: ['node'],
  config: runtimeDockerConfig,
  requires: { clock: ClockCap, log: LogCap, settings: optional(HostSettingsCap), network: optional(PodNetworkCap) },
  provides: [RuntimeCap],
  setup(ctx) {
    const { settings, network, clock } = ctx.use
    const owner = ctx.config.owner ?? `${settings?.clusterName ?? 'continuo'}@${resolve(settings?.dataDir ?? '.continuo')}`
    ctx.provide(RuntimeCap, new DockerRuntime({ config: { ...ctx.config, owner }, clock, log: ctx.log, network, hostAddress }))
    const limits = ctx.config.imageDisk
    if (limits.highPercent === 100) return
    const images = new ImageCollector({ daemon: new Daemon(ctx.config.socket, clock), clock, log: ctx.log, limits, diskUsage })
    ctx.every(limits.everySeconds * 1000, async () => {
      await images.collect().catch((error: unknown) => ctx.log.warn({ err: error }, 'could not look for images to remove'))
    })
  },
})

export default runtimeDocker
