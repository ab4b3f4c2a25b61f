import { AdmissionMutate, AdmissionValidate, definePlugin, optional, RegistryCap } from '@continuo/core'
import { type AskAccess, Equivalents } from '@continuo/lib-admission'
import { WebhookCaller } from '@continuo/lib-webhook'
import {
  AccessGateCap,
  ClusterDialerCap,
  MutatingWebhookConfiguration,
  Pod,
  Service,
  ValidatingWebhookConfiguration,
} from '@continuo/workload'
import { checkConditions } from './configuration/check-conditions.ts'
import { WebhookConfigurations } from './configuration/webhook-configurations.ts'
import type { AskingParts } from './dispatch/ask-webhook.ts'
import { MutatingWebhooks } from './dispatch/mutating-webhooks.ts'
import { ValidatingWebhooks } from './dispatch/validating-webhooks.ts'
import { webhookMetrics } from './dispatch/webhook-metrics.ts'

/** Asks the webhooks of MutatingWebhookConfigurations and ValidatingWebhookConfigurations about every write, as Kubernetes does. */
export const admissionWebhook = definePlugin({
  name: 'admission-webhook',
  api: '^1',
  requires: { registry: RegistryCap, dialer: optional(ClusterDialerCap), access: optional(AccessGateCap) },
  permissions: [
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
      verbs: ['list'],
    },
  ],
  setup(ctx) {
    const { registry, dialer, access } = ctx.use
    const caller = new WebhookCaller({
      clock: ctx.clock,
      ...(dialer === undefined ? {} : { dial: async (service, signal) => (await dialer.service(service, service.port, signal)).stream }),
    })
    ctx.onStop(() => caller.close())
    const parts: AskingParts = { caller, clock: ctx.clock, random: ctx.random, log: ctx.log, metrics: webhookMetrics(ctx.metrics) }
    const ask: AskAccess | undefined = access === undefined ? undefined : (question) => access.authorize(question)
    const equivalents = new Equivalents(registry)
    const mutating = new MutatingWebhooks(parts, new WebhookConfigurations(MutatingWebhookConfiguration, equivalents), registry, ask)
    const validating = new ValidatingWebhooks(parts, new WebhookConfigurations(ValidatingWebhookConfiguration, equivalents), registry, ask)
    ctx.admission({ reads: [MutatingWebhookConfiguration, ValidatingWebhookConfiguration, Pod, Service], validate: checkConditions })
    // After what the system itself decides, so that webhooks see what would be stored; of those, a quota alone comes later.
    ctx.tap(AdmissionMutate, (request) => mutating.mutate(request), { stage: 'post' })
    ctx.tap(AdmissionValidate, (request) => validating.validate(request), { stage: 'post' })
  },
})
