import { createEventRecorder, type DeepReadonly, definePlugin, formatTime, hasReason } from '@continuo/core'
import { EndpointSlice, type ProxyProblem, type ProxyServicePort, Service, ServiceProxyCap } from '@continuo/workload'
import { z } from 'zod'
import { proxyPorts } from './proxy-ports.ts'

const serviceLabel = 'kubernetes.io/service-name'
const problemCondition = 'continuo.dev/ProxyProgrammed'

/**
 * Feeds the composed service proxy: services and their endpoint slices become one immutable state; changes are gathered while
 * the proxy is busy. A service that cannot be programmed gets a condition and an Event that say why.
 */
export const serviceRouting = definePlugin({
  name: 'service-routing',
  api: '^1',
  roles: ['node'],
  config: z.strictObject({
    nodeName: z.string().optional().describe('Name of the node that traffic policies are local to.'),
    zone: z.string().optional().describe('Zone of that node, by which hints of topology are heeded. Unset: hints for zones are not.'),
    onStop: z
      .enum(['clear', 'leave'])
      .default('clear')
      .describe(
        '`leave` keeps the rules of a proxy in the kernel for the next start, so that traffic goes on meanwhile; a proxy in this process ends with it.',
      ),
    resyncMs: z.int().positive().default(60_000).describe('How often the whole state is applied, to mend what others broke. Milliseconds.'),
  }),
  requires: { proxy: ServiceProxyCap },
  permissions: [
    { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['services/status'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  ],
  setup(ctx) {
    const services = ctx.informer(Service)
    const slices = ctx.informer(EndpointSlice, {
      indexes: { service: (slice) => [`${slice.metadata.namespace}/${slice.metadata.labels?.[serviceLabel] ?? ''}`] },
    })
    const events = createEventRecorder({
      client: ctx.client,
      clock: ctx.clock,
      log: ctx.log,
      component: 'service-proxy',
      signal: ctx.signal,
    })
    const nodeName = ctx.config.nodeName ?? ''
    const { zone } = ctx.config
    const dirty = new Set<string>()
    const idsOf = new Map<string, readonly string[]>()
    let ports: ReadonlyMap<string, ProxyServicePort> = new Map()
    /** Problems that services show. One that could not be told is tried again with the next result. */
    const told = new Map<string, ProxyProblem>()
    let standing: readonly ProxyProblem[] | undefined
    let telling: Promise<void> | undefined
    let full = true
    let running: Promise<void> | undefined

    const changed = (namespace: string | undefined, name: string | undefined): void => {
      if (name === undefined || name === '') return
      dirty.add(`${namespace}/${name}`)
      schedule()
    }
    const serviceChanged = (service: DeepReadonly<Service>): void => changed(service.metadata.namespace, service.metadata.name)
    const sliceChanged = (slice: DeepReadonly<EndpointSlice>): void =>
      changed(slice.metadata.namespace, slice.metadata.labels?.[serviceLabel])

    const schedule = (): void => {
      if (!services.synced || !slices.synced || ctx.signal.aborted) return
      running ??= drain().finally(() => {
        running = undefined
        if (dirty.size > 0 || full) schedule()
      })
    }

    const drain = async (): Promise<void> => {
      // A turn of the event loop gathers what arrives together.
      await ctx.clock.yield()
      const resync = full
      const changedIds = rebuild()
      full = false
      try {
        const result = await ctx.use.proxy.apply({
          state: { nodeName, ...(zone === undefined ? {} : { zone }), ports },
          changed: resync ? undefined : changedIds,
        })
        report(result.problems)
      } catch (error) {
        ctx.log.error({ error }, 'cannot program the service proxy, trying again')
        await ctx.clock.sleep(1_000, ctx.signal).catch(() => {})
        full = true
      }
    }

    const rebuild = (): ReadonlySet<string> => {
      const next = new Map(ports)
      const ids = new Set<string>()
      for (const key of dirty) {
        const service = services.lister.get(key)
        const wanted = service === undefined ? [] : proxyPorts(service, slices.lister.byIndex('service', key))
        for (const id of idsOf.get(key) ?? []) {
          next.delete(id)
          ids.add(id)
        }
        for (const port of wanted) {
          next.set(port.id, port)
          ids.add(port.id)
        }
        if (wanted.length === 0) idsOf.delete(key)
        else
          idsOf.set(
            key,
            wanted.map((port) => port.id),
          )
      }
      dirty.clear()
      ports = next
      return ids
    }

    /** Beside the routing, never before it: an API that answers slowly delays what is told and no traffic. */
    const report = (found: readonly ProxyProblem[]): void => {
      standing = found
      telling ??= tellAll().finally(() => {
        telling = undefined
      })
    }

    const tellAll = async (): Promise<void> => {
      for (let found = standing; found !== undefined && !ctx.signal.aborted; found = standing) {
        standing = undefined
        const now = new Map(found.map((problem) => [problem.id, problem]))
        for (const [id, problem] of now) if (told.get(id)?.message !== problem.message && (await tell(id, problem))) told.set(id, problem)
        for (const id of [...told.keys()]) if (!now.has(id) && (await tell(id, undefined))) told.delete(id)
      }
    }

    const tell = async (id: string, problem: ProxyProblem | undefined): Promise<boolean> => {
      const service = services.lister.get(id.slice(0, id.lastIndexOf(':')))
      if (service === undefined) return true
      if (problem !== undefined) events.event(service, 'Warning', problem.reason, problem.message)
      const condition = {
        type: problemCondition,
        status: problem === undefined ? 'True' : 'False',
        reason: problem?.reason ?? 'Programmed',
        message: problem?.message ?? '',
        lastTransitionTime: formatTime(ctx.clock.now()),
      }
      try {
        const at = { namespace: service.metadata.namespace ?? '', name: service.metadata.name }
        const body = { status: { conditions: [condition] } }
        await ctx.client.for(Service).subresource('status').patch(at, { type: 'strategic', body })
        return true
      } catch (error) {
        if (hasReason(error, 'NotFound')) return true
        ctx.log.warn({ service: id, error }, 'cannot report a problem of a service')
        return false
      }
    }

    services.on({ added: serviceChanged, updated: serviceChanged, deleted: serviceChanged })
    slices.on({
      added: sliceChanged,
      updated: (slice, old) => {
        sliceChanged(slice)
        sliceChanged(old)
      },
      deleted: sliceChanged,
    })
    ctx.onStart('controllers', () => {
      schedule()
      ctx.every(ctx.config.resyncMs, () => {
        full = true
        schedule()
      })
    })
    ctx.onStop(async () => {
      await running
      await telling
      if (ctx.config.onStop === 'clear') await ctx.use.proxy.clear()
      await events.close()
    })
  },
})
