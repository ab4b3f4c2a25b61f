import { ApiError, type DecisionLog } from '@continuo/core'
import type { ApiRoute } from '@continuo/workload'

/** Path of the decision log, without its leading slash. */
export const decisionsPath = 'continuo/decisions'

/**
 * Decisions of this process: `?id=` for one by its id, or `?kind=Pod&namespace=default&name=web` for those about an object, oldest first.
 * The answer is a JSON array. Throws 400 when the query names neither.
 */
export const decisionRoute = (log: DecisionLog): ApiRoute => ({
  get({ query }) {
    const id = query.get('id')
    const kind = query.get('kind')
    const name = query.get('name')
    if (id !== null) {
      const decision = log.byId(id)
      return { body: JSON.stringify(decision === undefined ? [] : [decision]) }
    }
    if (kind === null || name === null) throw new ApiError('BadRequest', 'ask for decisions by id, or by kind, namespace and name')
    return { body: JSON.stringify(log.about({ kind, name, namespace: query.get('namespace') ?? '' })) }
  },
})
