import { type AdmissionRequest, jsonEqual } from '@continuo/core'

/**
 * Who is asked again in the second round of a request's mutation: those that want to be, after whom something changed.
 * Whoever was not asked in the first round is not asked in the second.
 */
export class Reinvocation {
  /** Asked, and wanting to be asked again when something changes after them. */
  readonly #waiting = new Set<string>()
  readonly #again = new Set<string>()
  #output: unknown

  /** Called when a round begins. */
  begin(request: AdmissionRequest): void {
    if (request.isReinvocation && !jsonEqual(this.#output, request.object)) this.#changed()
  }

  isDue(request: AdmissionRequest, id: string): boolean {
    return !request.isReinvocation || this.#again.has(id)
  }

  /** Called when somebody was asked. A change brings the second round about. */
  asked(request: AdmissionRequest, id: string, outcome: { readonly changed: boolean; readonly wantsAgain: boolean }): void {
    if (outcome.changed) {
      this.#changed()
      request.reinvoke()
    }
    if (outcome.wantsAgain) this.#waiting.add(id)
  }

  /** Called when a round is over. */
  end(request: AdmissionRequest): void {
    this.#output = structuredClone(request.object)
  }

  #changed(): void {
    for (const id of this.#waiting) this.#again.add(id)
    this.#waiting.clear()
  }
}
