import { CustomConversionCap, definePlugin, optional } from '@continuo/core'
import { WebhookCaller } from '@continuo/lib-webhook'
import { ClusterDialerCap } from '@continuo/workload'
import { checkSettings } from './check-settings.ts'
import { createConverter } from './convert.ts'

/** Converts custom resources whose definition says `conversion.strategy: Webhook`, as Kubernetes does: a call for each list, not for each object. */
export const conversionWebhook = definePlugin({
  name: 'conversion-webhook',
  api: '^1',
  requires: { dialer: optional(ClusterDialerCap) },
  provides: [CustomConversionCap],
  setup(ctx) {
    const { dialer } = ctx.use
    const caller = new WebhookCaller({
      clock: ctx.clock,
      ...(dialer === undefined ? {} : { dial: async (service, signal) => (await dialer.service(service, service.port, signal)).stream }),
    })
    ctx.onStop(() => caller.close())
    const convert = createConverter({ caller, random: ctx.random })
    ctx.provide(CustomConversionCap, { check: checkSettings, convert }, 'Webhook')
  },
})
