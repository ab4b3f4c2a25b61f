import type { Fence } from '../client/caller.ts'
import { ContinuoError } from '../errors/continuo-error.ts'

/** One term of leadership. */
export interface Term {
  /** Condition that each commit of the term carries. Absent where nobody else can lead. */
  readonly fence?: Fence
  /** Aborts when the term ends: lost, given up or stopped. */
  readonly signal: AbortSignal
}

/** Who leads. One per host: its controllers share it. */
export interface Leadership {
  readonly leading: boolean
  /** Who holds the lease, as this process saw it last. */
  readonly holder: string | undefined
  start(): void
  /** Ends the term and gives the lease back, so that the next one need not wait for it to expire. */
  stop(): Promise<void>
  /** Calls back at the beginning of each term, at once when this process leads. The function that it returns ends the subscription. */
  onTerm(begin: (term: Term) => void): () => void
}

/** Terms and their subscribers: the part that every kind of leadership shares. */
export class TermSource {
  readonly #subscribers = new Set<(term: Term) => void>()
  #term: (Term & { readonly abort: AbortController }) | undefined

  get leading(): boolean {
    return this.#term !== undefined
  }

  begin(fence?: Fence): void {
    const abort = new AbortController()
    const term = { fence, signal: abort.signal, abort }
    this.#term = term
    for (const subscriber of this.#subscribers) subscriber(term)
  }

  end(why: string): void {
    const term = this.#term
    this.#term = undefined
    term?.abort.abort(new ContinuoError('LEADERSHIP_ENDED', why))
  }

  onTerm(begin: (term: Term) => void): () => void {
    this.#subscribers.add(begin)
    if (this.#term !== undefined) begin(this.#term)
    return () => void this.#subscribers.delete(begin)
  }
}

/** The leadership of a process that is alone: it leads from start to stop, and nothing fences it. */
export function soleLeadership(identity: string): Leadership {
  const terms = new TermSource()
  return {
    get leading() {
      return terms.leading
    },
    get holder() {
      return terms.leading ? identity : undefined
    },
    start: () => {
      if (!terms.leading) terms.begin()
    },
    stop: async () => terms.end('the host stopped'),
    onTerm: (begin) => terms.onTerm(begin),
  }
}
