import { CelBudgetError } from '../cel-error.ts'

/** What evaluations may still spend. One meter may serve many evaluations: all rules of an object. */
export class Meter {
  readonly #limit: number
  #spent = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get spent(): number {
    return this.#spent
  }

  get remaining(): number {
    return Math.max(0, this.#limit - this.#spent)
  }

  /** Takes units. Throws {@link CelBudgetError} when there are not enough. */
  charge(units: number): void {
    this.#spent += units
    if (this.#spent > this.#limit) throw new CelBudgetError(this.#limit)
  }
}
