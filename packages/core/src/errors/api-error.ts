import { ContinuoError } from './continuo-error.ts'

/** `status.reason` values of Kubernetes' API, each with the HTTP code it always travels with. */
export const reasonCodes = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  ServerTimeout: 500,
  Timeout: 504,
} as const

export type StatusReason = keyof typeof reasonCodes

/** One entry of `status.details.causes`. */
export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  /** Path of the field, as `spec.versions[0].name`. */
  readonly field?: string
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  /** The resource's plural for most errors, the kind for Invalid: as Kubernetes does. */
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/** The body of every error answer (`kind: Status`). */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Record<string, unknown>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: StatusDetails
  readonly code?: number
}

const brand = Symbol.for('continuo/api-error')

/**
 * The only error that an object client throws, whichever its implementation.
 * `reason` and `status` are those of Kubernetes' Status; {@link ApiError.toStatus} is the body that goes over the wire.
 */
export class ApiError extends ContinuoError {
  readonly reason: StatusReason
  /** The HTTP status code. */
  readonly status: number
  readonly details?: StatusDetails
  readonly [brand] = true

  constructor(
    reason: StatusReason,
    message: string,
    details?: StatusDetails,
    options: { hint?: string; cause?: unknown; status?: number } = {},
  ) {
    super(`API_${reason.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()}`, message, options)
    this.reason = reason
    this.status = options.status ?? reasonCodes[reason]
    this.details = details
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.status,
    }
  }
}

export const isApiError = (value: unknown): value is ApiError =>
  typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true

/** True when the value is an {@link ApiError} with one of these reasons. */
export const hasReason = (value: unknown, ...reasons: StatusReason[]): value is ApiError =>
  isApiError(value) && reasons.includes(value.reason)
