import { ContinuoError } from '@continuo/core'

/**
 * A webhook could not be asked, or gave no usable answer. `WEBHOOK_TIMEOUT`: the deadline passed. `WEBHOOK_UNREACHABLE`: no connection, or one
 * that broke. `WEBHOOK_ANSWER`: it answered with an error, a redirect, too much, or no JSON. `WEBHOOK_ADDRESS`: the address itself is no good.
 * The message is that of Kubernetes: `Post "https://…": context deadline exceeded`.
 */
export class WebhookError extends ContinuoError {
  /** Status of the answer, when there was one. */
  readonly status?: number

  constructor(
    code: 'WEBHOOK_TIMEOUT' | 'WEBHOOK_UNREACHABLE' | 'WEBHOOK_ANSWER' | 'WEBHOOK_ADDRESS',
    message: string,
    options: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(code, message, { cause: options.cause })
    if (options.status !== undefined) this.status = options.status
  }
}
