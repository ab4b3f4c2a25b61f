import type { DeepReadonly, UserInfo } from '@continuo/core'
import type { FlowPath, FlowSchema } from '@continuo/workload'
import { isSubject, matchesRequest } from './match-rules.ts'

type Schema = DeepReadonly<FlowSchema>
type Rule = NonNullable<NonNullable<Schema['spec']>['rules']>[number]

/** What one flow schema was made into, by whoever asks for classification. */
export interface Classified<T> {
  readonly schema: Schema
  readonly target: T
}

interface Candidate<T> {
  readonly target: T
  readonly rules: readonly Rule[]
  /** Some rule takes everything of this user: nothing has to be compared. */
  readonly takesAll: boolean
}

const everywhere = (list: readonly string[] | undefined): boolean => list?.includes('*') === true

const takesAll = ({ resourceRules, nonResourceRules }: Rule): boolean =>
  resourceRules?.some(
    (rule) =>
      everywhere(rule.verbs) &&
      everywhere(rule.apiGroups) &&
      everywhere(rule.resources) &&
      everywhere(rule.namespaces) &&
      rule.clusterScope === true,
  ) === true && nonResourceRules?.some((rule) => everywhere(rule.verbs) && everywhere(rule.nonResourceURLs)) === true

/** The order in which schemas are asked: by precedence, of equals by name. Pure. */
export const inOrder = (schemas: readonly Schema[]): readonly Schema[] =>
  [...schemas].sort(
    (a, b) =>
      (a.spec?.matchingPrecedence ?? 1_000) - (b.spec?.matchingPrecedence ?? 1_000) ||
      ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1),
  )

/**
 * Finds the flow schema of a request: the first in order of which one rule matches subject and request. Which schemas can concern a user
 * is found out once for each user object, as authentication hands out the same one for a connection or token. Made anew when schemas change.
 */
export class Classifier<T> {
  readonly #schemas: readonly Classified<T>[]
  readonly #fallback: T
  readonly #ofUser = new WeakMap<UserInfo, readonly Candidate<T>[]>()

  /** `schemas` in order; `fallback` is for requests that none matches. */
  constructor(schemas: readonly Classified<T>[], fallback: T) {
    this.#schemas = schemas
    this.#fallback = fallback
  }

  classify(user: UserInfo, verb: string, path: FlowPath): T {
    let candidates = this.#ofUser.get(user)
    if (candidates === undefined) {
      candidates = this.#candidates(user)
      this.#ofUser.set(user, candidates)
    }
    for (const candidate of candidates) {
      if (candidate.takesAll) return candidate.target
      for (const rule of candidate.rules) if (matchesRequest(rule, verb, path)) return candidate.target
    }
    return this.#fallback
  }

  #candidates(user: UserInfo): readonly Candidate<T>[] {
    const candidates: Candidate<T>[] = []
    for (const { schema, target } of this.#schemas) {
      const rules = (schema.spec?.rules ?? []).filter((rule) => rule.subjects.some((subject) => isSubject(subject, user)))
      if (rules.length === 0) continue
      const all = rules.some(takesAll)
      candidates.push({ target, rules, takesAll: all })
      // Nothing after it is ever asked.
      if (all) break
    }
    return candidates
  }
}
