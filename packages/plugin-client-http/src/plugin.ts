import { ClockCap, definePlugin, type Log, ObjectClientCap, RandomCap } from '@continuo/core'
import { RemoteApiCap } from '@continuo/workload'
import { clientHttpConfig } from './config.ts'
import { createHttpClient } from './create-http-client.ts'

/** Distinct warnings of the server that are logged; further ones are not. */
const maxWarnings = 256

/**
 * Lets a host work against an API elsewhere: provides the object client, over HTTP. For node hosts and control planes without a store.
 * The host starts while the API cannot be reached yet; its informers wait for it.
 */
export const clientHttp = definePlugin({
  name: 'client-http',
  api: '^1',
  roles: ['control-plane', 'node'],
  config: clientHttpConfig,
  requires: { clock: ClockCap, random: RandomCap },
  provides: [ObjectClientCap, RemoteApiCap],
  async setup(ctx) {
    const { connectTimeoutSeconds, requestTimeoutSeconds, keepAliveSeconds, pingTimeoutSeconds, ...config } = ctx.config
    const client = await createHttpClient({
      ...config,
      connectTimeoutMs: connectTimeoutSeconds * 1000,
      requestTimeoutMs: requestTimeoutSeconds * 1000,
      keepAliveMs: keepAliveSeconds * 1000,
      pingTimeoutMs: pingTimeoutSeconds * 1000,
      clock: ctx.clock,
      random: ctx.random,
      onWarning: warnOnce(ctx.log),
    })
    ctx.provide(ObjectClientCap, client)
    ctx.provide(RemoteApiCap, { server: client.server, tls: () => client.tls(), follow: (origins) => client.follow(origins) })
    ctx.onStop(() => client.close())
    ctx.health({
      // A restart brings no API back.
      readinessOnly: true,
      name: 'api-connection',
      check: () => {
        if (client.problem !== undefined) throw client.problem
      },
    })
  },
})

function warnOnce(log: Log): (text: string) => void {
  const said = new Set<string>()
  return (text) => {
    if (said.has(text) || said.size >= maxWarnings) return
    said.add(text)
    log.warn({ warning: text }, 'the API warns')
  }
}
