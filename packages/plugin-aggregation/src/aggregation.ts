import { join } from 'node:path'
import { ContinuoError, definePlugin, HostSettingsCap, optional, RegistryCap } from '@continuo/core'
import { APIService, ApiDelegateCap, ClusterDialerCap } from '@continuo/workload'
import { availability, referenceIndex } from './availability.ts'
import { aggregationConfig } from './config.ts'
import { Delegation } from './delegation.ts'
import { ensureFrontProxy, type FrontProxy } from './front-proxy.ts'
import { reconcileLocalServices } from './local-services.ts'

const dayMs = 86_400_000
/** A group version that is new is registered within this time. */
const registerMs = 1_000

/**
 * The aggregation layer: requests of a group version whose APIService names a service go there, with the caller's identity; those of this server's
 * own have an APIService too, which is `Local`.
 */
export const aggregation = definePlugin({
  name: 'aggregation',
  api: '^1',
  config: aggregationConfig,
  requires: { registry: RegistryCap, dialer: ClusterDialerCap, settings: optional(HostSettingsCap) },
  provides: [ApiDelegateCap],
  permissions: [
    { apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
    { apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices/status'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ],
  async setup(ctx) {
    const { config, use, clock, client } = ctx
    const directory =
      config.certificateDir ?? (use.settings?.dataDir === undefined ? undefined : join(use.settings.dataDir, 'pki', 'front-proxy'))
    if (directory === undefined)
      throw new ContinuoError('AGGREGATION_NO_DIRECTORY', 'the aggregation layer has no directory for its certificate', {
        hint: 'set `certificateDir`, or give the host a data directory',
      })
    let proxy: FrontProxy = await ensureFrontProxy(directory, clock.now())
    /** Generation of the registry for which every APIService was seen to. */
    let registered = -1
    const delegation = new Delegation({ dialer: use.dialer, clock, proxy: () => proxy, timeoutMs: config.timeoutSeconds * 1000 })
    const services = ctx.informer(APIService, { indexes: referenceIndex })
    services.on({
      added: (service) => delegation.set(service),
      updated: (service, old) => {
        if (service.metadata.uid !== old.metadata.uid) delegation.remove(old.spec)
        delegation.set(service)
      },
      deleted: (service) => {
        delegation.remove(service.spec)
        registered = -1
      },
    })
    ctx.provide(ApiDelegateCap, delegation)
    ctx.controller(availability({ services, delegation, clock, checkMs: config.checkSeconds * 1000 }))

    const register = async (): Promise<void> => {
      const { generation } = use.registry
      if (generation === registered) return
      await reconcileLocalServices(client, use.registry.served(), services.lister.list())
      registered = generation
    }
    ctx.onStart('controllers', register)
    ctx.every(registerMs, () => register().catch((error: unknown) => ctx.log.warn({ error }, 'local API services could not be registered')))
    ctx.every(dayMs, async () => {
      proxy = await ensureFrontProxy(directory, clock.now())
    })
  },
})
