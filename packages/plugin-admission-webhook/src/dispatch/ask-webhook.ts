import { ApiError, type Clock, type Log, type Random } from '@continuo/core'
import { type AdmissionSubject, passesFailures, type ResourceForm, reviewRequest, type VersionedObjects } from '@continuo/lib-admission'
import { type WebhookAddress, type WebhookCaller, WebhookError } from '@continuo/lib-webhook'
import type { Webhook } from '../configuration/webhook.ts'
import { callFailed, DeniedError, dryRunUnsupported } from '../review/refusals.ts'
import { InvalidAnswerError, type ReviewAnswer, readAnswer, reviewBody, reviewVersion } from '../review/review.ts'
import { isOwnBacking } from './own-backing.ts'
import type { WebhookMetrics } from './webhook-metrics.ts'

export interface AskingParts {
  readonly caller: Pick<WebhookCaller, 'call'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: WebhookMetrics
}

export interface Question {
  readonly webhook: Webhook
  readonly type: 'admit' | 'validating'
  readonly subject: AdmissionSubject
  readonly form: ResourceForm
  readonly objects: VersionedObjects
  /** Monotonic moment at which the request as a whole is given up. */
  readonly deadline: number
}

/** What all webhooks of one kind may take together for one request: as long as Kubernetes lets a request live. */
export const requestMs = 60_000

/** How long a webhook may take, when so much of the request's time is left. Throws 504 when there is none. Pure. */
export function callTime(timeoutSeconds: number, leftMs: number): number {
  if (leftMs <= 0) throw new ApiError('Timeout', 'Timeout: request did not complete within requested timeout', { retryAfterSeconds: 1 })
  return Math.min(timeoutSeconds * 1000, leftMs)
}

/** A webhook could not be asked, or what it said was no answer. The message follows `failed calling webhook "x": `. */
class AskingError extends TypeError {}

/**
 * Asks one webhook about one request. Gives back what it answered when it allows the request, and `undefined` when it failed and that may be passed
 * over. Throws the refusal: the webhook's own, 500 when it failed and must not, 400 for a dry run that it cannot bear.
 */
export async function askWebhook(parts: AskingParts, question: Question): Promise<ReviewAnswer | undefined> {
  const { webhook, type, subject } = question
  const { name, sideEffects } = webhook.settings
  if (subject.request.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') throw dryRunUnsupported(name)
  const began = parts.clock.monotonic()
  const observe = (rejected: boolean, code: number, errorType?: 'no_error' | 'calling_webhook_error'): void =>
    parts.metrics.observe({
      name,
      type,
      operation: subject.operation,
      seconds: (parts.clock.monotonic() - began) / 1000,
      rejected,
      code,
      ...(errorType === undefined ? {} : { errorType }),
    })
  let answer: ReviewAnswer
  try {
    answer = await call(parts, question)
  } catch (error) {
    if (!(error instanceof AskingError)) throw error
    const failure = callFailed(name, error.message, error.cause)
    const isOpen = failsOpen(webhook, subject)
    observe(!isOpen, (error.cause as { status?: number } | undefined)?.status ?? 503, 'calling_webhook_error')
    if (!isOpen) throw failure
    parts.log.warn({ webhook: name, configuration: webhook.configuration, err: failure }, 'a webhook failed and was passed over')
    parts.metrics.failedOpen(name, type)
    return undefined
  }
  for (const [key, value] of Object.entries(answer.auditAnnotations)) subject.request.annotate(`${name}/${key}`, value)
  for (const text of answer.warnings) subject.request.warn(text)
  if (answer.allowed) {
    observe(false, 200)
    return answer
  }
  const denied = new DeniedError(name, answer.status)
  observe(true, denied.status, 'no_error')
  throw denied
}

const failsOpen = (webhook: Webhook, subject: AdmissionSubject): boolean =>
  webhook.settings.failurePolicy === 'Ignore' || passesFailures(subject.request) || isOwnBacking(webhook, subject)

async function call(
  { caller, clock, random }: AskingParts,
  { webhook, type, subject, form, objects, deadline }: Question,
): Promise<ReviewAnswer> {
  const { clientConfig, admissionReviewVersions, timeoutSeconds = 10 } = webhook.settings
  const version = reviewVersion(admissionReviewVersions)
  if (version === undefined)
    throw new AskingError('could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)')
  const uid = random.uuid()
  const timeoutMs = callTime(timeoutSeconds, deadline - clock.monotonic())
  try {
    const request = reviewRequest(subject, form)
    const body = reviewBody(
      version,
      uid,
      type === 'admit' && subject.request.isNameGenerated === true ? { ...request, name: '' } : request,
      objects,
    )
    const answer = await caller.call(clientConfig as WebhookAddress, body, { timeoutMs })
    return readAnswer(version, uid, type === 'admit', answer)
  } catch (error) {
    if (error instanceof WebhookError) throw new AskingError(`failed to call webhook: ${error.message}`, { cause: error })
    if (error instanceof InvalidAnswerError) throw new AskingError(`received invalid webhook response: ${error.message}`, { cause: error })
    throw error
  }
}
