import { capability, type UserInfo } from '@continuo/core'

/** What authentication may look at: everything but the body. */
export interface AuthenticationRequest {
  /** Lower-case names, as Node.js has them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** A client certificate that the API's own authority signed and that is valid now. */
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[] }
  readonly remoteAddress: string
  /** The credential must be meant for one of these. Unset: for the API itself. A credential without an audience is meant for the API alone. */
  readonly audiences?: readonly string[]
}

/**
 * Finds out who asks. Authenticators are asked in the order of their keys, each once per request and before anything else;
 * the first answer counts. One that verifies signatures caches what it verified.
 */
export interface Authenticator {
  /** The user; undefined when the request bears no credential of this kind. Throws `ApiError` Unauthorized for a bad credential. */
  authenticate(request: AuthenticationRequest): Promise<UserInfo | undefined> | UserInfo | undefined
}

export const AuthenticatorCap = capability<Authenticator, 'many'>('api-authenticator/v1', { cardinality: 'many' })

/** A request in the terms of authorisation, read from the URL alone. */
export interface AccessAttributes {
  readonly user: UserInfo
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, `impersonate`; the lower-case method for paths that name no resource. */
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

export interface AccessDecision {
  readonly decision: 'allow' | 'deny' | 'none'
  /** For the 403's message and the audit log. */
  readonly reason?: string
}

/** Decides about requests. Authorizers are asked in the order of their keys until one allows or denies; if none does, the request is refused. */
export interface Authorizer {
  authorize(attributes: AccessAttributes): Promise<AccessDecision> | AccessDecision
}

export const AuthorizerCap = capability<Authorizer, 'many'>('api-authorizer/v1', { cardinality: 'many' })

/** One rule of what somebody may do, as `SelfSubjectRulesReview` tells it. */
export interface AccessRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

/** Lists what a user may do, for authorizers that can. Keyed as the authorizer is. */
export interface AccessRules {
  /** Rules in a namespace, those of the whole cluster included; `errors` tells what could not be looked up. */
  rulesFor(user: UserInfo, namespace: string): { readonly rules: readonly AccessRule[]; readonly errors: readonly string[] }
}

export const AccessRulesCap = capability<AccessRules, 'many'>('api-access-rules/v1', { cardinality: 'many' })

/** The gate of the API, for whoever answers reviews: the same chains that decide about requests. */
export interface AccessGate {
  /** What would become of such a request, the server's own rules included. */
  authorize(attributes: AccessAttributes): Promise<AccessDecision> | AccessDecision
  /** Whose bearer token it is; undefined when nobody knows it. Throws `ApiError` Unauthorized for a bad one. */
  authenticate(token: string, audiences?: readonly string[]): Promise<UserInfo | undefined>
}

export const AccessGateCap = capability<AccessGate>('api-access-gate/v1')
