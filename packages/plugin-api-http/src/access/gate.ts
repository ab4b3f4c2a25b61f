import { ApiError, type Caller, type Clock, isApiError, type UserInfo } from '@continuo/core'
import { type AccessAttributes, type AuditLog, type Authenticator, type Authorizer, continuoHeaders, parseFence } from '@continuo/workload'
import { attributesOf } from '../request/attributes.ts'
import type { RequestPath } from '../request/path.ts'
import type { Exchange } from '../server/exchange.ts'
import { authenticate } from './authenticate.ts'
import { type AuthorizationMode, authorize } from './authorize.ts'
import { clientCertificateOf } from './client-certificate.ts'
import { impersonatedUser, impersonationAttributes } from './impersonate.ts'

type Keyed<T> = Iterable<readonly [string, T]>

export interface GateOptions {
  readonly authenticators: Keyed<Authenticator>
  readonly authorizers: Keyed<Authorizer>
  readonly authorization: AuthorizationMode
  /** Told of each request as soon as its sender is known. */
  readonly audit?: AuditLog
  readonly clock: Clock
}

const maxTextLength = 128
const impersonationHeaders = ['impersonate-user', 'impersonate-group', 'impersonate-uid'] as const

/** The gate that every request passes, of whatever kind: who asks, and may they. Looks at headers and URL alone. */
export class Gate {
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** The caller of an allowed request, without a promise when nothing has to be asked. Throws 401 and 403. */
  admit(exchange: Exchange, path: RequestPath, verb: string): Caller | Promise<Caller> {
    const { headers } = exchange
    const { authenticators, authorizers, authorization, audit } = this.#options
    const user = authenticate(
      {
        headers,
        certificate: clientCertificateOf(exchange),
        // Rarely asked for, and over HTTP/2 a proxy is made for each request to answer it.
        get remoteAddress() {
          return exchange.socket?.remoteAddress ?? ''
        },
      },
      authenticators,
    )
    if (user instanceof Promise || impersonationHeaders.some((name) => headers[name] !== undefined))
      return this.#admitSlowly(exchange, path, verb, user)
    if (audit !== undefined) this.#audit(exchange, path, verb, user)
    const allowed = authorize(attributesOf(user, verb, path, exchange.rawPath, exchange.query), authorizers, authorization, exchange.audit)
    const caller = callerOf(exchange, user)
    return allowed === undefined ? caller : allowed.then(() => caller)
  }

  /** Tells of a request whose path cannot be read: it is refused before anybody is asked who sent it. */
  unreadable(exchange: Exchange): void {
    this.#audit(exchange, { isResource: false, segments: [] }, exchange.method.toLowerCase(), undefined)
  }

  /**
   * Asks again about a request that was admitted before. Throws 403 when it would be refused now, and 401 when the bearer token that it came
   * with is no longer good: it has expired, or its account or pod is gone.
   */
  readmit(user: UserInfo, exchange: Exchange, path: RequestPath, verb: string): void | Promise<void> {
    const { authorizers, authorization } = this.#options
    const ask = () => authorize(attributesOf(user, verb, path, exchange.rawPath, exchange.query), authorizers, authorization)
    return clientCertificateOf(exchange) === undefined && exchange.headers.authorization !== undefined
      ? this.#stillKnown(exchange).then(ask)
      : ask()
  }

  async #stillKnown(exchange: Exchange): Promise<void> {
    await authenticate({ headers: exchange.headers, remoteAddress: exchange.socket?.remoteAddress ?? '' }, this.#options.authenticators)
  }

  async #admitSlowly(exchange: Exchange, path: RequestPath, verb: string, pending: UserInfo | Promise<UserInfo>): Promise<Caller> {
    const { authorizers, authorization } = this.#options
    let user = await this.#known(exchange, path, verb, pending)
    this.#audit(exchange, path, verb, user)
    const wanted = impersonatedUser(exchange.headers)
    if (wanted !== undefined) {
      for (const question of impersonationAttributes(user, wanted)) await this.#mayImpersonate(question, exchange)
      user = wanted
      exchange.audit?.impersonates(user)
    }
    await authorize(attributesOf(user, verb, path, exchange.rawPath, exchange.query), authorizers, authorization, exchange.audit)
    return callerOf(exchange, user)
  }

  /** Only a refusal is told: what is decided of an impersonation is not what is decided of the request. */
  async #mayImpersonate(question: AccessAttributes, exchange: Exchange): Promise<void> {
    const { authorizers, authorization } = this.#options
    try {
      await authorize(question, authorizers, authorization)
    } catch (error) {
      exchange.audit?.annotate('authorization.k8s.io/decision', 'forbid')
      throw error
    }
  }

  /** Whoever fails to prove who he is is told of too. */
  async #known(exchange: Exchange, path: RequestPath, verb: string, pending: UserInfo | Promise<UserInfo>): Promise<UserInfo> {
    try {
      return await pending
    } catch (error) {
      if (isApiError(error)) this.#audit(exchange, path, verb, undefined)
      throw error
    }
  }

  #audit(exchange: Exchange, path: RequestPath, verb: string, user: UserInfo | undefined): void {
    const { audit, clock } = this.#options
    if (audit === undefined) return
    exchange.audit = audit.open({
      user,
      verb,
      path,
      uri: exchange.url,
      headers: exchange.headers,
      remoteAddress: exchange.socket?.remoteAddress ?? '',
      receivedAt: clock.now(),
    })
  }
}

/** Everything that the object service needs to know of the request's origin. */
function callerOf(exchange: Exchange, user: UserInfo): Caller {
  const userAgent = exchange.header('user-agent')
  const fence = exchange.header(continuoHeaders.fence)
  const parsed = fence === undefined ? undefined : parseFence(fence)
  if (fence !== undefined && parsed === undefined) throw new ApiError('BadRequest', `the header ${continuoHeaders.fence} cannot be read`)
  return {
    user,
    trusted: false,
    authorized: true,
    fieldManager: userAgent === undefined ? 'unknown' : (userAgent.split('/', 1)[0] as string).slice(0, maxTextLength),
    fence: parsed,
    cause: exchange.header(continuoHeaders.cause)?.slice(0, maxTextLength),
    warn: (text) => exchange.warn(text),
    userAgent,
    ...(exchange.audit === undefined ? {} : { annotate: (key, value) => exchange.audit?.annotate(key, value) }),
  }
}
