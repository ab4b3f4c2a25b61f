import type { AdmissionRequest, UserInfo } from '@continuo/core'

/** What an expression asks the authorizer about; empty where it does not say. */
export interface AccessQuestion {
  readonly user: UserInfo
  readonly verb: string
  readonly isResource: boolean
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly path: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

export interface AccessAnswer {
  readonly decision: 'allow' | 'deny' | 'none'
  readonly reason?: string
}

/** Answers as the gate of the API does. */
export type AskAccess = (question: AccessQuestion) => AccessAnswer | Promise<AccessAnswer>

/** What became of a question: a decision, or the error that prevented one. */
export interface Decided extends AccessAnswer {
  readonly error?: string
}

/** A decision that is not there yet. Whoever evaluates waits for it and begins anew; no expression can absorb it. */
export class PendingDecision extends TypeError {
  readonly decided: Promise<void>

  constructor(decided: Promise<void>) {
    super('an authorizer has not decided yet')
    this.decided = decided
  }
}

/** Decisions about one admission request: each question is asked once. */
export class Decisions {
  readonly #caller: AdmissionRequest['caller']
  readonly #ask: AskAccess | undefined
  readonly #known = new Map<string, Decided>()

  constructor(caller: AdmissionRequest['caller'], ask: AskAccess | undefined) {
    this.#caller = caller
    this.#ask = ask
  }

  get user(): UserInfo {
    return this.#caller.user
  }

  /** Throws {@link PendingDecision} while an authorizer takes its time. */
  decide(question: AccessQuestion): Decided {
    if (this.#ask === undefined) return { decision: 'allow', reason: 'this cluster has no authorisation' }
    if (this.#caller.trusted && question.user === this.#caller.user) return { decision: 'allow', reason: 'a part of the control plane' }
    const key = JSON.stringify({ ...question, user: question.user.username })
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const remember = (decided: Decided): Decided => {
      this.#known.set(key, decided)
      return decided
    }
    const failed = (error: unknown): Decided =>
      remember({ decision: 'none', error: error instanceof Error ? error.message : String(error) })
    try {
      const answer = this.#ask(question)
      if (!(answer instanceof Promise)) return remember(answer)
      throw new PendingDecision(answer.then(remember, failed).then(() => undefined))
    } catch (error) {
      if (error instanceof PendingDecision) throw error
      return failed(error)
    }
  }
}
