import { ContinuoError } from '@continuo/core'

/** Codes of this package's errors. */
export type StreamErrorCode =
  /** The peer broke the rules of the protocol, or sent more than a bound allows. */
  | 'STREAM_PROTOCOL'
  /** The client and we have no subprotocol in common. */
  | 'STREAM_NO_PROTOCOL'
  /** The peer ended the stream or the connection. */
  | 'STREAM_RESET'
  /** The peer did not open the streams it announced in time. */
  | 'STREAM_TIMEOUT'

/** The only error that this package throws on purpose. */
export class StreamError extends ContinuoError {
  declare readonly code: StreamErrorCode

  constructor(code: StreamErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(code, message, options)
  }
}
