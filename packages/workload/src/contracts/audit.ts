import { capability, type UserInfo } from '@continuo/core'

/** What a request's path names, for the rules of an audit policy. */
export type AuditedPath =
  | {
      readonly isResource: true
      readonly group: string
      readonly version: string
      readonly resource: string
      readonly subresource: string
      readonly namespace: string
      readonly name: string
    }
  | { readonly isResource: false; readonly segments: readonly string[] }

/** A request whose sender is known, or known to have failed to prove who it is, or was not asked because the path cannot be read. */
export interface AuditedRequest {
  /** Undefined when authentication failed or was not tried. */
  readonly user: UserInfo | undefined
  readonly verb: string
  readonly path: AuditedPath
  /** Path and query, as they came. */
  readonly uri: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly remoteAddress: string
  /** Wall milliseconds. */
  readonly receivedAt: number
}

/** What the answer's Status says, or only its code. */
export interface AuditedStatus {
  readonly code: number
  readonly status?: string
  readonly reason?: string
  readonly message?: string
}

/**
 * Collects what is to be told about one request. Every method is cheap and none throws or waits; the server calls {@link AuditTrail.end}
 * or {@link AuditTrail.panicked} exactly once.
 */
export interface AuditTrail {
  /** For the header `Audit-Id`. */
  readonly id: string
  /** Whether {@link AuditTrail.sent} keeps anything: asked before a body is prepared for it. */
  readonly wantsRequest: boolean
  /** The same of {@link AuditTrail.answered}. */
  readonly wantsResponse: boolean
  impersonates(user: UserInfo): void
  /** The first value of a key counts. */
  annotate(key: string, value: string): void
  /** The name in the body, of an object whose path has none: what is created. */
  named(name: string): void
  /** The decoded body. It is turned into text at once, for the server goes on changing it. */
  sent(body: unknown): void
  /** The answer's object as JSON. */
  answered(json: string): void
  failed(status: AuditedStatus): void
  /** The head of an answer that goes on for long, such as a watch, is out. */
  started(code: number): void
  panicked(): void
  end(code: number): void
}

/** Decides by a policy what is told about a request, and keeps it. Without a provider nothing is told, and nothing is spent. */
export interface AuditLog {
  /**
   * Called once for each request, after authentication, or when its path cannot be read. What the policy does not want has a trail too, for its
   * id; it keeps nothing. Throws `ApiError` ServiceUnavailable where the configuration would rather refuse requests than lose their trace.
   */
  open(request: AuditedRequest): AuditTrail
}

export const AuditLogCap = capability<AuditLog>('audit-log/v1')
