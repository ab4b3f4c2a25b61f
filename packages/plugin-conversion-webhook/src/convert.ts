import { ApiError, type CustomConversion, isContinuoError, type Random } from '@continuo/core'
import type { WebhookCaller } from '@continuo/lib-webhook'
import { conversionReview, readAnswer } from './review.ts'

export interface ConverterParts {
  readonly caller: Pick<WebhookCaller, 'call'>
  readonly random: Random
}

/** As long as Kubernetes waits. Readers and writers wait with it. */
const timeoutMs = 30_000

/** Asks webhooks to convert. Every failure is an `ApiError` that names the kind and says why: a kind that cannot be converted cannot be read in that version. */
export function createConverter({ caller, random }: ConverterParts): CustomConversion['convert'] {
  return async (settings, objects, apiVersion, signal) => {
    const foreign = objects.filter((object) => object.apiVersion !== apiVersion)
    const [first] = foreign
    if (first === undefined) return [...objects]
    const { clientConfig = {}, conversionReviewVersions = [] } = settings.webhook ?? {}
    const review = conversionReview(conversionReviewVersions, random.uuid(), apiVersion, foreign)
    const title = `conversion webhook for ${first.apiVersion}, Kind=${first.kind} failed`
    let answer: unknown
    try {
      answer = await caller.call(clientConfig, review, { timeoutMs, ...(signal === undefined ? {} : { signal }) })
    } catch (error) {
      if (!isContinuoError(error)) throw error
      throw new ApiError('InternalError', `${title}: ${error.message}`)
    }
    const read = readAnswer(answer, review)
    if ('fault' in read) throw new ApiError('InternalError', `${title}: ${read.fault}`)
    const converted = read.objects.values()
    return objects.map((object) => (object.apiVersion === apiVersion ? object : (converted.next().value ?? object)))
  }
}
