import type { AdmissionRequest, Registry } from '@continuo/core'
import { AdmissionSubject, type AskAccess, Decisions, isExempt } from '@continuo/lib-admission'
import type { WebhookConfigurations } from '../configuration/webhook-configurations.ts'
import { type AskingParts, askWebhook, requestMs } from './ask-webhook.ts'
import { meetsConditions } from './meets-conditions.ts'

/** Asks all validating webhooks that a request concerns, at the same time. The first one by order that refuses has the word. */
export class ValidatingWebhooks {
  readonly #parts: AskingParts
  readonly #configurations: WebhookConfigurations
  readonly #registry: Registry
  readonly #access: AskAccess | undefined

  constructor(parts: AskingParts, configurations: WebhookConfigurations, registry: Registry, access?: AskAccess) {
    this.#parts = parts
    this.#configurations = configurations
    this.#registry = registry
    this.#access = access
  }

  async validate(request: AdmissionRequest): Promise<void> {
    if (isExempt(request)) return
    const webhooks = this.#configurations.webhooks(request.read)
    if (webhooks.length === 0) return
    const subject = new AdmissionSubject(request, this.#registry)
    const decisions = new Decisions(request.caller, this.#access)
    const deadline = this.#parts.clock.monotonic() + requestMs
    const answers = webhooks.map(async (webhook) => {
      const form = webhook.matcher.match(subject)
      if (form === undefined) return
      const objects = await subject.in(form)
      if (!(await meetsConditions(webhook, subject, form, objects, decisions, this.#parts.log))) return
      await askWebhook(this.#parts, { webhook, type: 'validating', subject, form, objects, deadline })
    })
    for (const answer of await Promise.allSettled(answers)) if (answer.status === 'rejected') throw answer.reason
  }
}
