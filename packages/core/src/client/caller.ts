/** Who asks, as authentication found out. */
export interface UserInfo {
  readonly username: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** A leader's epoch: every commit made under it carries a condition on its key, so that a deposed leader writes nothing. */
export interface Fence {
  /** Store key of the epoch. */
  readonly key: string
  readonly modRevision: number
}

/** Everything about the origin of a request that the object service needs. */
export interface Caller {
  readonly user: UserInfo
  /** Authorised by being in this process: authorisation hooks are skipped. */
  readonly trusted: boolean
  /** Default field manager of writes. */
  readonly fieldManager?: string
  readonly fence?: Fence
  /** Id of the decision that led to this request. */
  readonly cause?: string
  /** Receives `Warning` headers' texts. */
  readonly warn?: (text: string) => void
  readonly userAgent?: string
}
