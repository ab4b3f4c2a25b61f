import { ApiError, formatGroupResource, type UserInfo } from '@continuo/core'
import type { AccessAttributes, AccessDecision, AuditTrail, Authorizer } from '@continuo/workload'

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

type Chain = Iterable<readonly [string, Authorizer]>

/**
 * What becomes of a request: `system:masters` pass always; then the authorizers in the order of their keys; then the mode.
 * Answers at once, without a promise, as long as authorizers do.
 */
export function decide(
  attributes: AccessAttributes,
  authorizers: Chain,
  mode: AuthorizationMode,
): AccessDecision | Promise<AccessDecision> {
  if (attributes.user.groups?.includes(masters) === true) return allow
  const chain = [...authorizers].sort(([a], [b]) => (a < b ? -1 : 1))
  return ask(attributes, chain, 0, mode, undefined)
}

function ask(
  attributes: AccessAttributes,
  chain: readonly (readonly [string, Authorizer])[],
  from: number,
  mode: AuthorizationMode,
  said: string | undefined,
): AccessDecision | Promise<AccessDecision> {
  let reason = said
  for (let at = from; at < chain.length; at++) {
    const answer = (chain[at] as readonly [string, Authorizer])[1].authorize(attributes)
    if (answer instanceof Promise)
      return answer.then((late) =>
        late.decision === 'none' ? ask(attributes, chain, at + 1, mode, late.reason ?? reason) : withReason(late, reason),
      )
    if (answer.decision !== 'none') return withReason(answer, reason)
    reason = answer.reason ?? reason
  }
  return withReason(decideByMode(attributes, mode), reason)
}

const withReason = (answer: AccessDecision, reason: string | undefined): AccessDecision =>
  answer.decision === 'allow' || reason === undefined || answer.reason !== undefined ? answer : { ...answer, reason }

/** Lets a request pass or throws 403, as {@link decide} says. The audit log, if there is one, is told the decision. */
export function authorize(
  attributes: AccessAttributes,
  authorizers: Chain,
  mode: AuthorizationMode,
  audit?: AuditTrail,
): void | Promise<void> {
  const answer = decide(attributes, authorizers, mode)
  return answer instanceof Promise ? answer.then((late) => settle(attributes, late, audit)) : settle(attributes, answer, audit)
}

function settle(attributes: AccessAttributes, answer: AccessDecision, audit: AuditTrail | undefined): void {
  const isAllowed = answer.decision === 'allow'
  if (audit !== undefined) {
    audit.annotate('authorization.k8s.io/decision', isAllowed ? 'allow' : 'forbid')
    audit.annotate('authorization.k8s.io/reason', answer.reason ?? '')
  }
  if (!isAllowed) throw forbidden(attributes, answer.reason)
}
