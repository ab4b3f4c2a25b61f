import { ApiError, formatGroupResource, type UserInfo } from '@continuo/core'
import type { AccessAttributes, AccessDecision, Authorizer } from '@continuo/workload'

export type AuthorizationMode = 'AlwaysAllow' | 'AlwaysDeny'

const masters = 'system:masters'
const publicPath = /^\/(healthz|livez|readyz|version)(\/|$)/
const readVerbs = new Set(['get', 'head'])
const allow: AccessDecision = { decision: 'allow' }

export const isAnonymous = (user: UserInfo): boolean => user.groups?.includes('system:unauthenticated') === true

/** Decides where no authorizer did: what everybody may see, and the mode from the configuration. Pure. */
export function decideByMode(attributes: AccessAttributes, mode: AuthorizationMode): AccessDecision {
  if (!attributes.isResource && readVerbs.has(attributes.verb) && publicPath.test(attributes.path)) return allow
  if (isAnonymous(attributes.user)) return { decision: 'none' }
  return mode === 'AlwaysAllow' ? allow : { decision: 'none' }
}

/** The words of Kubernetes' refusals. */
export function forbidden(attributes: AccessAttributes, reason: string | undefined): ApiError {
  const user = JSON.stringify(attributes.user.username)
  const because = reason === undefined || reason === '' ? '' : `: ${reason}`
  if (!attributes.isResource)
    return new ApiError(
      'Forbidden',
      `forbidden: User ${user} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}${because}`,
      {},
    )
  const resource = attributes.subresource === '' ? attributes.resource : `${attributes.resource}/${attributes.subresource}`
  const named = formatGroupResource({ group: attributes.group, resource: attributes.resource })
  const what = attributes.name === '' ? named : `${named} ${JSON.stringify(attributes.name)}`
  const where = attributes.namespace === '' ? ' at the cluster scope' : ` in the namespace ${JSON.stringify(attributes.namespace)}`
  return new ApiError(
    'Forbidden',
    `${what} is forbidden: User ${user} cannot ${attributes.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(attributes.group)}${where}${because}`,
    {
      ...(attributes.name === '' ? {} : { name: attributes.name }),
      ...(attributes.group === '' ? {} : { group: attributes.group }),
      kind: attributes.resource,
    },
  )
}

/**
 * Lets a request pass or throws 403. `system:masters` pass always; then the authorizers in the order of their keys; then the mode.
 * Answers at once, without a promise, when nothing needs to be asked.
 */
export function authorize(
  attributes: AccessAttributes,
  authorizers: Iterable<readonly [string, Authorizer]>,
  mode: AuthorizationMode,
): void | Promise<void> {
  if (attributes.user.groups?.includes(masters) === true) return
  const chain = [...authorizers]
  if (chain.length === 0) return settle(attributes, decideByMode(attributes, mode), undefined)
  return askAuthorizers(attributes, chain, mode)
}

async function askAuthorizers(
  attributes: AccessAttributes,
  chain: (readonly [string, Authorizer])[],
  mode: AuthorizationMode,
): Promise<void> {
  let reason: string | undefined
  for (const [, authorizer] of chain.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const answer = await authorizer.authorize(attributes)
    reason = answer.reason ?? reason
    if (answer.decision !== 'none') return settle(attributes, answer, reason)
  }
  settle(attributes, decideByMode(attributes, mode), reason)
}

function settle(attributes: AccessAttributes, answer: AccessDecision, reason: string | undefined): void {
  if (answer.decision !== 'allow') throw forbidden(attributes, reason)
}
