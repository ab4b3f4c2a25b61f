import { definePlugin, forbidden } from '@continuo/core'
import type { Service } from '@continuo/workload'
import { concerns } from '../requests/requests.ts'

/** Refuses services that claim addresses of others (CVE-2020-8554). What a service has already it keeps. */
export const denyServiceExternalIPs = definePlugin({
  name: 'deny-service-external-ips',
  api: '^1',
  setup(ctx) {
    ctx.admission({
      validate(request) {
        if (!concerns(request, '', 'services') || request.operation === 'DELETE') return
        const claimed = (request.object as unknown as Service).spec?.externalIPs ?? []
        const had = (request.oldObject as unknown as Service | undefined)?.spec?.externalIPs ?? []
        if (claimed.some((address) => !had.includes(address)))
          throw forbidden(request.resource, request.name, 'Use of external IPs is denied by admission control')
      },
    })
  },
})
