import { readFile } from 'node:fs/promises'
import { BlockList, isIPv4 } from 'node:net'
import { definePlugin, Namespace, parseTime } from '@continuo/core'
import { type ClusterDns, ClusterDnsCap, EndpointSlice, emptyResolvConf, Pod, parseResolvConf, Service } from '@continuo/workload'
import { dnsConfig } from './config.ts'
import { Forwarder } from './forward/forwarder.ts'
import { chooseUpstreams, parseServer } from './forward/read-upstreams.ts'
import type { UpstreamAddress } from './forward/upstream.ts'
import { DnsServer } from './server/dns-server.ts'
import { Responder } from './server/responder.ts'
import { rcodeName } from './wire/protocol.ts'
import { reverseAddress } from './zone/reverse-name.ts'
import { Zone } from './zone/zone.ts'
import { ZoneIndex } from './zone/zone-index.ts'

const dnsPort = 53
const triggerTime = 'endpoints.kubernetes.io/last-change-trigger-time'

/**
 * The name server of the cluster: services, endpoints and pods by the Kubernetes DNS specification from the caches of informers, other names
 * from upstreams. It answers before controllers start, with everything that there was.
 */
export const dns = definePlugin({
  name: 'dns',
  api: '^1',
  roles: ['node'],
  config: dnsConfig,
  provides: [ClusterDnsCap],
  permissions: ({ pods }) => [
    { apiGroups: [''], resources: ['services', 'namespaces', ...(pods === 'verified' ? ['pods'] : [])], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
  ],
  async setup(ctx) {
    const { config, clock, random, log, metrics } = ctx
    const listen = config.listen.map(
      (text): UpstreamAddress => ({
        host: (parseServer(text.replace(/:0$/, ':1')) as UpstreamAddress).host,
        port: text.endsWith(':0') ? 0 : (parseServer(text) as UpstreamAddress).port,
      }),
    )
    const nameservers = config.nameservers ?? listen.filter(({ port }) => port === dnsPort).map(({ host }) => host)
    ctx.provide(ClusterDnsCap, { domain: config.domain, nameservers } satisfies ClusterDns)

    const machine = await readFile(config.resolvConf, 'utf8').then(parseResolvConf, () => emptyResolvConf)
    const own = [...listen, ...nameservers.map((host) => ({ host, port: dnsPort }))]
    const forwarder = new Forwarder({
      upstreams: chooseUpstreams(config.upstreams, machine, own),
      clock,
      random,
      log,
      timeoutMs: config.upstreamTimeoutMs,
      maxInFlight: config.maxForwards,
      cache: config.cache,
      udpBytes: config.udpBytes,
    })
    const index = new ZoneIndex(config.domain)
    const podAddresses =
      config.pods === 'verified'
        ? ctx.informer(Pod, {
            indexes: {
              address: ({ metadata, status }) => (status?.podIPs ?? []).map(({ ip }) => `${metadata.namespace}/${ip}`),
            },
          })
        : undefined
    const zone = new Zone({
      domain: config.domain,
      index,
      ttl: config.ttl,
      negativeTtl: config.negativeTtl,
      pods: config.pods,
      hasPod: (namespace, address) => (podAddresses?.lister.byIndex('address', `${namespace}/${address}`) ?? []).length > 0,
      serverAddresses: nameservers.length > 0 ? nameservers : listen.map(({ host }) => host),
      firstSerial: Math.floor(clock.now() / 1_000),
    })

    const requests = metrics.counter('dns_requests_total', 'Questions by transport.', ['proto'])
    const responses = metrics.counter('dns_responses_total', 'Answers by code and by who knew them.', ['rcode', 'from'])
    const dropped = metrics.counter('dns_dropped_total', 'Questions that were not answered because there were too many.', ['reason'])
    const programming = metrics.histogram('dns_programming_duration_seconds', 'From the change of an endpoint to answers that know it.', {
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
    })
    const gauges = [
      [metrics.gauge('dns_upstreams_healthy', 'Upstreams that answer.'), () => forwarder.healthy],
      [metrics.gauge('dns_cache_entries', 'Answers of upstreams that are kept.'), () => forwarder.cached],
    ] as const

    const reverse = new BlockList()
    for (const range of config.reverseRanges) {
      const [network = '', bits] = range.split('/')
      reverse.addSubnet(network, Number(bits), isIPv4(network) ? 'ipv4' : 'ipv6')
    }
    const responder = new Responder({
      zone,
      forwarder,
      random,
      udpBytes: config.udpBytes,
      ownsReverse: (name) => {
        const address = reverseAddress(name)
        return address !== undefined && reverse.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
      },
      answered: (rcode, from) => responses.inc({ rcode: rcodeName(rcode), from }),
    })
    const server = new DnsServer({
      clock,
      respond: (message, proto) => {
        requests.inc({ proto })
        return responder.respond(message, proto)
      },
      perSourceRate: config.ratePerSource,
      mostConnections: config.maxConnections,
      idleMs: 10_000,
      dropped: (reason) => dropped.inc({ reason }),
    })

    ctx.informer(Namespace).on({
      added: ({ metadata }) => index.setNamespace(metadata.name, true),
      deleted: ({ metadata }) => index.setNamespace(metadata.name, false),
    })
    ctx.informer(Service).on({
      added: (service) => index.setService(service.metadata.namespace ?? '', service.metadata.name, service),
      updated: (service) => index.setService(service.metadata.namespace ?? '', service.metadata.name, service),
      deleted: ({ metadata }) => index.setService(metadata.namespace ?? '', metadata.name, undefined),
    })
    let answering = false
    ctx.informer(EndpointSlice).on({
      added: (slice) => index.setSlice(undefined, slice),
      updated: (slice, old) => {
        index.setSlice(old, slice)
        const changed = parseTime(slice.metadata.annotations?.[triggerTime] ?? '')
        const news = slice.metadata.annotations?.[triggerTime] !== old.metadata.annotations?.[triggerTime]
        if (answering && news && Number.isFinite(changed)) programming.observe(Math.max(0, clock.now() - changed) / 1_000)
      },
      deleted: (slice) => index.setSlice(slice, undefined),
    })

    ctx.onStart('servers', async () => {
      for (const address of listen) {
        const port = await server.listen(address)
        log.info({ address: address.host, port, domain: config.domain }, 'answers DNS')
      }
      answering = true
      forwarder.start()
      ctx.every(5_000, () => {
        for (const [gauge, value] of gauges) gauge.set(value())
      })
    })
    ctx.onStop(async () => {
      forwarder.close()
      await server.close()
    })
  },
})
