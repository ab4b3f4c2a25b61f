const brand = Symbol.for('continuo/error')

/** A text that is no quantity, duration or percentage. Carries the brand by which core recognises errors of Continuo. */
export class QuantityError extends Error {
  readonly code: 'QUANTITY_INVALID' | 'DURATION_INVALID' | 'INT_OR_STRING_INVALID'
  readonly hint: string
  readonly [brand] = true

  constructor(code: QuantityError['code'], message: string, hint: string) {
    super(message)
    this.name = 'QuantityError'
    this.code = code
    this.hint = hint
  }
}
