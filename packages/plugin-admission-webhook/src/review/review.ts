import type { ReviewRequest, VersionedObjects } from '@continuo/lib-admission'

const group = 'admission.k8s.io'
/** In order of preference of the API; the order of the webhook counts. */
const spoken: readonly string[] = ['v1', 'v1beta1']

/** What a webhook said. */
export interface ReviewAnswer {
  readonly allowed: boolean
  readonly status?: AnswerStatus
  /** Operations of RFC 6902; undefined when nothing is to be changed. */
  readonly patch?: readonly unknown[]
  readonly warnings: readonly string[]
  readonly auditAnnotations: Readonly<Record<string, string>>
}

/** `response.status`: what the client is told of a refusal. */
export interface AnswerStatus {
  readonly status?: string
  readonly message?: string
  readonly reason?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly code?: number
}

/** An answer that is none. Its message follows `received invalid webhook response: `. */
export class InvalidAnswerError extends TypeError {}

/** The version in which a webhook is asked: the first of its own that the API speaks. Undefined when there is none. */
export const reviewVersion = (versions: readonly string[]): string | undefined => versions.find((version) => spoken.includes(version))

/** The body for a webhook. Pure. */
export const reviewBody = (version: string, uid: string, request: ReviewRequest, { object, oldObject }: VersionedObjects) => ({
  kind: 'AdmissionReview',
  apiVersion: `${group}/${version}`,
  request: { uid, ...request, object: object ?? null, oldObject: oldObject ?? null, options: request.options ?? null },
})

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const asText = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Reads an answer and checks that it is one, to this question. Pure. Throws {@link InvalidAnswerError}. */
export function readAnswer(version: string, uid: string, isMutating: boolean, answer: unknown): ReviewAnswer {
  const refuse = (why: string): InvalidAnswerError => new InvalidAnswerError(why)
  if (!isObject(answer)) throw refuse('expected an AdmissionReview, got something else')
  const apiVersion = `${group}/${version}`
  // Webhooks of v1beta1 were never held to say what they answer with.
  if (version === 'v1' && (answer.apiVersion !== apiVersion || answer.kind !== 'AdmissionReview'))
    throw refuse(
      `expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${asText(answer.apiVersion)}, Kind=${asText(answer.kind)}`,
    )
  const { response } = answer
  if (!isObject(response)) throw refuse('webhook response was absent')
  if (version === 'v1' && response.uid !== uid)
    throw refuse(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  const patch = readPatch(version, isMutating, response)
  return {
    allowed: response.allowed === true,
    ...(isObject(response.status) ? { status: response.status as AnswerStatus } : {}),
    ...(patch === undefined ? {} : { patch }),
    warnings: Array.isArray(response.warnings) ? response.warnings.filter((text) => typeof text === 'string') : [],
    auditAnnotations: isObject(response.auditAnnotations)
      ? Object.fromEntries(
          Object.entries(response.auditAnnotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
        )
      : {},
  }
}

function readPatch(version: string, isMutating: boolean, response: Json): readonly unknown[] | undefined {
  const text = asText(response.patch)
  const type = asText(response.patchType)
  if (!isMutating) {
    if (version === 'v1' && text !== '') throw new InvalidAnswerError('validating webhook may not return response.patch')
    if (version === 'v1' && type !== '') throw new InvalidAnswerError('validating webhook may not return response.patchType')
    return undefined
  }
  if (text === '') {
    if (version === 'v1' && type !== '') throw new InvalidAnswerError('webhook returned response.patchType but not response.patch')
    return undefined
  }
  if (version === 'v1' && type === '') throw new InvalidAnswerError('webhook returned response.patch but not response.patchType')
  if (type !== '' && type !== 'JSONPatch')
    throw new InvalidAnswerError(`webhook returned invalid response.patchType of ${JSON.stringify(type)}`)
  let patch: unknown
  try {
    patch = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
  } catch (error) {
    throw new InvalidAnswerError(`received undecodable patch in webhook response: ${(error as Error).message}`)
  }
  if (patch === null) return undefined
  if (!Array.isArray(patch)) throw new InvalidAnswerError('received undecodable patch in webhook response: it is no list of operations')
  return patch.length === 0 ? undefined : patch
}
