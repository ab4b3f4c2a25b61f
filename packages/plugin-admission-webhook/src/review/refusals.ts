import { ApiError, isApiError, reasonCodes, type Status, type StatusDetails, type StatusReason } from '@continuo/core'
import type { AnswerStatus } from './review.ts'

/** A refusal by a webhook: its own reason, code and details go on to the client, whatever they are. */
export class DeniedError extends ApiError {
  readonly #reason: string

  constructor(webhook: string, { message = '', reason = '', details, code = 0 }: AnswerStatus = {}) {
    const said = message || reason
    const status = code >= 400 && code < 600 ? code : 400
    super(
      isReason(reason) ? reason : 'BadRequest',
      `admission webhook ${JSON.stringify(webhook)} denied the request${said === '' ? ' without explanation' : `: ${said}`}`,
      details as StatusDetails | undefined,
      { status },
    )
    this.#reason = reason
  }

  override toStatus(): Status {
    const { reason: _, ...status } = super.toStatus()
    return this.#reason === '' ? status : { ...status, reason: this.#reason }
  }
}

const isReason = (reason: string): reason is StatusReason => Object.hasOwn(reasonCodes, reason)

/** The answer to a client when a webhook that must be asked could not be. */
export function callFailed(webhook: string, why: string, cause: unknown): ApiError {
  const message = `failed calling webhook ${JSON.stringify(webhook)}: ${why}`
  return new ApiError('InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }, { cause })
}

export const dryRunUnsupported = (webhook: string): ApiError =>
  new ApiError('BadRequest', `admission webhook ${JSON.stringify(webhook)} does not support dry run`)

/** What is passed on as it is; anything else is a fault of the server. */
export const internal = (error: unknown): ApiError =>
  isApiError(error)
    ? error
    : new ApiError('InternalError', `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`, undefined, {
        cause: error,
      })
