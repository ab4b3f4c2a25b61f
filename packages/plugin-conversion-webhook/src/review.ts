import { type FieldError, isRecord, objectMetaSchema, type UnstructuredObject, validate } from '@continuo/core'

/** Versions of ConversionReview that are spoken, the preferred one first. Their forms are the same. */
export const reviewVersions: readonly string[] = ['v1', 'v1beta1']

/** What is asked: convert these objects. */
export interface ConversionReview {
  readonly apiVersion: string
  readonly kind: 'ConversionReview'
  readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly UnstructuredObject[] }
}

/** The question in the first version of the webhook's list that is spoken here. */
export function conversionReview(
  accepted: readonly string[],
  uid: string,
  desiredAPIVersion: string,
  objects: readonly UnstructuredObject[],
): ConversionReview {
  const version = accepted.find((candidate) => reviewVersions.includes(candidate)) ?? reviewVersions[0]
  return { apiVersion: `apiextensions.k8s.io/${version}`, kind: 'ConversionReview', request: { uid, desiredAPIVersion, objects } }
}

/** The converted objects, or in one sentence why the answer is none. */
export type ReadAnswer = { readonly objects: UnstructuredObject[] } | { readonly fault: string }

/**
 * Reads what a webhook answered. Of metadata it may change labels and annotations alone; name, namespace and uid must stay,
 * everything else is taken from the originals.
 */
export function readAnswer(answer: unknown, { apiVersion, request }: ConversionReview): ReadAnswer {
  if (!isRecord(answer) || answer.kind !== 'ConversionReview' || answer.apiVersion !== apiVersion)
    return { fault: `expected webhook response of ${apiVersion}, Kind=ConversionReview, got ${described(answer)}` }
  const { response } = answer
  if (!isRecord(response)) return { fault: 'no response provided' }
  if (response.uid !== request.uid)
    return { fault: `expected response.uid=${JSON.stringify(request.uid)}, got ${JSON.stringify(response.uid ?? '')}` }
  const result = isRecord(response.result) ? response.result : {}
  if (result.status === undefined || result.status === '') return { fault: 'response.result.status was "" instead of "Success"' }
  if (result.status !== 'Success') {
    const message = typeof result.message === 'string' ? result.message.slice(0, 1024) : ''
    return { fault: message === '' ? `response.result.status was ${JSON.stringify(result.status)} instead of "Success"` : message }
  }
  const converted = Array.isArray(response.convertedObjects) ? response.convertedObjects : []
  if (converted.length !== request.objects.length)
    return { fault: `expected ${request.objects.length} converted objects, got ${converted.length}` }
  const objects: UnstructuredObject[] = []
  for (const [i, original] of request.objects.entries()) {
    const fault = faultOf(converted[i], original, request.desiredAPIVersion)
    if (fault !== undefined) return { fault: `invalid converted object at index ${i}: ${fault}` }
    objects.push(withOriginalMetadata(converted[i] as UnstructuredObject, original))
  }
  return { objects }
}

const described = (answer: unknown): string =>
  (isRecord(answer) ? `${String(answer.apiVersion)}, Kind=${String(answer.kind)}` : typeof answer).slice(0, 200)

function faultOf(converted: unknown, original: UnstructuredObject, apiVersion: string): string | undefined {
  if (!isRecord(converted)) return 'it is not an object'
  if (converted.apiVersion !== apiVersion) return `invalid groupVersion (expected ${apiVersion}, received ${String(converted.apiVersion)})`
  if (converted.kind !== original.kind) return `invalid kind (expected ${original.kind}, received ${String(converted.kind)})`
  const { metadata } = converted
  if (!isRecord(metadata)) return 'missing metadata'
  const before = original.metadata
  if (metadata.name !== before.name) return `must have the same name: ${String(metadata.name)} != ${before.name}`
  if ((metadata.namespace ?? '') !== (before.namespace ?? ''))
    return `must have the same namespace: ${String(metadata.namespace ?? '')} != ${before.namespace ?? ''}`
  if (metadata.uid !== before.uid) return `must have the same UID: ${String(metadata.uid ?? '')} != ${before.uid ?? ''}`
  const [wrong]: FieldError[] = validate(
    objectMetaSchema,
    { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} },
    'metadata',
  )
  return wrong === undefined ? undefined : `${wrong.field}: ${wrong.message}`
}

function withOriginalMetadata(converted: UnstructuredObject, original: UnstructuredObject): UnstructuredObject {
  const { labels: _labels, annotations: _annotations, ...kept } = original.metadata
  const { labels, annotations } = converted.metadata
  return { ...converted, metadata: { ...kept, ...(labels == null ? {} : { labels }), ...(annotations == null ? {} : { annotations }) } }
}
