import { type AdmissionRequest, ApiError, applyJsonPatch, jsonEqual, type Registry, type UnstructuredObject } from '@continuo/core'
import { AdmissionSubject, type AskAccess, Decisions, isExempt, Reinvocation, type VersionedObjects } from '@continuo/lib-admission'
import type { Webhook } from '../configuration/webhook.ts'
import type { WebhookConfigurations } from '../configuration/webhook-configurations.ts'
import { internal } from '../review/refusals.ts'
import { type AskingParts, askWebhook, type Question, requestMs } from './ask-webhook.ts'
import { meetsConditions } from './meets-conditions.ts'

/** What is remembered of a request between the rounds of its mutation. */
interface Progress {
  readonly reinvocation: Reinvocation
  /** Monotonic moment at which it is given up. */
  readonly deadline: number
}

/**
 * Asks the mutating webhooks, one after the other, and applies what they answer. When one of them changed the object, the mutating stage runs once
 * more: webhooks with `reinvocationPolicy: IfNeeded` are asked again if something changed after them, and no webhook is asked for the first time then.
 */
export class MutatingWebhooks {
  readonly #parts: AskingParts
  readonly #configurations: WebhookConfigurations
  readonly #registry: Registry
  readonly #access: AskAccess | undefined
  /** Dies with the request. */
  readonly #progress = new WeakMap<AdmissionRequest, Progress>()

  constructor(parts: AskingParts, configurations: WebhookConfigurations, registry: Registry, access?: AskAccess) {
    this.#parts = parts
    this.#configurations = configurations
    this.#registry = registry
    this.#access = access
  }

  async mutate(request: AdmissionRequest): Promise<void> {
    if (isExempt(request)) return
    const webhooks = this.#configurations.webhooks(request.read)
    if (webhooks.length === 0) return
    const progress = this.#progressOf(request)
    const { reinvocation } = progress
    reinvocation.begin(request)
    const subject = new AdmissionSubject(request, this.#registry)
    const decisions = new Decisions(request.caller, this.#access)
    for (const [index, webhook] of webhooks.entries()) {
      const form = webhook.matcher.match(subject)
      if (form === undefined || !reinvocation.isDue(request, webhook.id)) continue
      const objects = nameless(request, await subject.in(form))
      if (!(await meetsConditions(webhook, subject, form, objects, decisions, this.#parts.log))) continue
      const changed = await this.#ask({ webhook, type: 'admit', subject, form, objects, deadline: progress.deadline })
      annotate(request, webhook, index, changed)
      reinvocation.asked(request, webhook.id, { changed, wantsAgain: webhook.settings.reinvocationPolicy === 'IfNeeded' })
    }
    reinvocation.end(request)
  }

  #progressOf(request: AdmissionRequest): Progress {
    const progress = this.#progress.get(request) ?? {
      reinvocation: new Reinvocation(),
      deadline: this.#parts.clock.monotonic() + requestMs,
    }
    this.#progress.set(request, progress)
    return progress
  }

  /** True when the object is another one afterwards. */
  async #ask(question: Question): Promise<boolean> {
    const { webhook, subject, form, objects } = question
    const answer = await askWebhook(this.#parts, question)
    if (answer?.patch === undefined) return false
    const { name } = webhook.settings
    if (objects.object === undefined)
      throw internal(
        new TypeError(
          `admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`,
        ),
      )
    const patched = patchOf(name, objects.object, answer.patch)
    if (jsonEqual(patched, objects.object)) return false
    await subject.replace(named(subject.request, patched), form)
    return true
  }
}

/** Names that are generated are so after mutation, as far as webhooks can see; the empty one is theirs to fill. */
function nameless(request: AdmissionRequest, objects: VersionedObjects): VersionedObjects {
  if (request.isNameGenerated !== true || objects.object?.metadata.name !== request.name) return objects
  const { name: _name, ...metadata } = objects.object.metadata
  return { ...objects, object: { ...objects.object, metadata: metadata as UnstructuredObject['metadata'] } }
}

const named = ({ isNameGenerated, name }: AdmissionRequest, object: UnstructuredObject): UnstructuredObject =>
  isNameGenerated === true && !object.metadata.name ? { ...object, metadata: { ...object.metadata, name } } : object

function patchOf(webhook: string, object: UnstructuredObject, patch: readonly unknown[]): UnstructuredObject {
  let patched: UnstructuredObject
  try {
    patched = applyJsonPatch(object, patch) as UnstructuredObject
  } catch (error) {
    throw internal(new TypeError((error as Error).message))
  }
  if (
    patched === null ||
    typeof patched !== 'object' ||
    patched.apiVersion !== object.apiVersion ||
    patched.kind !== object.kind ||
    typeof patched.metadata !== typeof object.metadata
  )
    throw new ApiError(
      'InternalError',
      `Internal error occurred: admission webhook ${JSON.stringify(webhook)} made another kind of the object`,
    )
  return patched
}

/** Which webhooks changed what, for the audit log. */
function annotate(request: AdmissionRequest, { configuration, settings }: Webhook, index: number, mutated: boolean): void {
  const round = request.isReinvocation ? 1 : 0
  request.annotate(
    `mutation.webhook.admission.k8s.io/round_${round}_index_${index}`,
    JSON.stringify({ configuration, webhook: settings.name, mutated }),
  )
}
