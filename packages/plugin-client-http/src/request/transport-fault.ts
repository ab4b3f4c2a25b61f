import { ApiError } from '@continuo/core'
import type { TransportError } from '../transport/transport.ts'
import { type ApiRequest, describeRequest, isRead } from './api-request.ts'

/** What the caller of a request is told about a connection that failed. Pure. */
export function faultOf(error: TransportError, request: ApiRequest): ApiError {
  const options = { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) }
  switch (error.code) {
    case 'CLIENT_CONNECTION_LOST':
      return isRead(request)
        ? new ApiError('ServiceUnavailable', `${describeRequest(request)}: ${error.message}`, undefined, options)
        : unknownOutcome(request, error.message, error)
    case 'CLIENT_ABORTED':
      return isRead(request)
        ? new ApiError('Timeout', `${describeRequest(request)} was given up by its caller`, undefined, options)
        : unknownOutcome(request, error.message, error)
    case 'CLIENT_BUSY':
      return new ApiError('TooManyRequests', error.message, { retryAfterSeconds: 1 }, options)
    default:
      return new ApiError('ServiceUnavailable', error.message, undefined, options)
  }
}

/** A write of which nobody knows whether it took effect. It is never repeated by the client. */
export const unknownOutcome = (request: ApiRequest, why: string, cause?: unknown): ApiError =>
  new ApiError('Timeout', `${describeRequest(request)} may or may not have taken effect: ${why}`, undefined, {
    hint: 'read the object, and look at its uid and resourceVersion',
    cause,
  })

/** The time for an answer is over. */
export const tooSlow = (request: ApiRequest, timeoutMs: number): ApiError =>
  isRead(request)
    ? new ApiError('Timeout', `${describeRequest(request)} got no answer within ${timeoutMs} ms`)
    : unknownOutcome(request, `no answer came within ${timeoutMs} ms`)
