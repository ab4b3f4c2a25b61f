import type { AdmissionRequest, Registry } from '@continuo/core'
import { AdmissionSubject, isExempt } from '@continuo/lib-admission'
import type { WebhookConfigurations } from '../configuration/webhook-configurations.ts'
import { type AskingParts, askWebhook } from './ask-webhook.ts'

/** Asks all validating webhooks that a request concerns, at the same time. The first one by order that refuses has the word. */
export class ValidatingWebhooks {
  readonly #parts: AskingParts
  readonly #configurations: WebhookConfigurations
  readonly #registry: Registry

  constructor(parts: AskingParts, configurations: WebhookConfigurations, registry: Registry) {
    this.#parts = parts
    this.#configurations = configurations
    this.#registry = registry
  }

  async validate(request: AdmissionRequest): Promise<void> {
    if (isExempt(request)) return
    const webhooks = this.#configurations.webhooks(request.read)
    if (webhooks.length === 0) return
    const subject = new AdmissionSubject(request, this.#registry)
    const answers = webhooks.map(async (webhook) => {
      const form = webhook.matcher.match(subject)
      if (form === undefined) return
      const objects = await subject.in(form)
      await askWebhook(this.#parts, { webhook, type: 'validating', subject, form, objects })
    })
    for (const answer of await Promise.allSettled(answers)) if (answer.status === 'rejected') throw answer.reason
  }
}
