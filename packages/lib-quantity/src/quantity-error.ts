import { ContinuoError } from '@continuo/core'

/** A text that is no quantity, duration or percentage. */
export class QuantityError extends ContinuoError {
  declare readonly code: 'QUANTITY_INVALID' | 'DURATION_INVALID' | 'INT_OR_STRING_INVALID'

  constructor(code: QuantityError['code'], message: string, hint: string) {
    super(code, message, { hint })
  }
}
