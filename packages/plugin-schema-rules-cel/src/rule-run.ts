import type { FieldError } from '@continuo/core'
import { maxObjectCost, maxRuleCost } from './limits.ts'

const maxErrors = 100

/** One object on its way through its rules: what was found, and what may still be spent. */
export class RuleRun {
  readonly errors: FieldError[] = []
  #spent = 0
  #stopped = false

  /** Nothing more is evaluated. */
  get ended(): boolean {
    return this.#stopped || this.errors.length >= maxErrors
  }

  /** What the next expression may cost. */
  get allowance(): number {
    return Math.min(maxRuleCost, Math.max(0, maxObjectCost - this.#spent))
  }

  get isSpent(): boolean {
    return this.#spent >= maxObjectCost
  }

  spend(cost: number): void {
    this.#spent += cost
  }

  add(error: FieldError): void {
    this.errors.push(error)
  }

  /** No further rule runs. */
  stop(): void {
    this.#stopped = true
  }
}
