/** Who asks, as authentication found out. */
export interface UserInfo {
  readonly username: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/**
 * A leader's epoch: an object of which acquiring leadership makes a new version and renewals none. Every commit made under a fence
 * carries a condition on that object's store key, so that a deposed leader writes nothing: it gets 409 Conflict.
 * Named as the API names objects, so that it can cross HTTP.
 */
export interface Fence {
  readonly group: string
  /** Plural, as `leases`. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  /** The epoch object must still be at this version. */
  readonly resourceVersion: string
}

/** Everything about the origin of a request that the object service needs. */
export interface Caller {
  readonly user: UserInfo
  /** Authorised by being in this process: authorisation hooks are skipped. */
  readonly trusted: boolean
  /** The server of the API has authorised the request from its URL: {@link ClientAuthorize} is called only for what the URL does not say. */
  readonly authorized?: boolean
  /** Default field manager of writes. */
  readonly fieldManager?: string
  readonly fence?: Fence
  /** Id of the decision that led to this request. */
  readonly cause?: string
  /** Receives `Warning` headers' texts. */
  readonly warn?: (text: string) => void
  /** Receives what admission tells the audit log. */
  readonly annotate?: (key: string, value: string) => void
  readonly userAgent?: string
}
