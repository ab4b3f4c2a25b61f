import { capability, type UserInfo } from '@continuo/core'

/** What the path of a request names, in the terms of flow schemas. */
export type FlowPath =
  | {
      readonly isResource: true
      readonly group: string
      readonly resource: string
      readonly subresource: string
      /** Empty for cluster-scoped objects, and for collections across namespaces. */
      readonly namespace: string
    }
  | { readonly isResource: false; readonly segments: readonly string[] }

/** The rest of a request, looked at only where it is needed. */
export interface FlowDetails {
  readonly query: URLSearchParams | undefined
  /** Aborts when the client goes away: its request leaves the queue. */
  readonly signal: AbortSignal
}

/** A request's place among those that run. */
export interface FlowPlace {
  /** For the header `X-Kubernetes-PF-FlowSchema-UID`. */
  readonly flowSchemaUid: string
  /** For the header `X-Kubernetes-PF-PriorityLevel-UID`. */
  readonly priorityLevelUid: string
  /** Tells how many objects a LIST looked at, from which the width of later ones is estimated. */
  listed(objects: number): void
  /** Gives the place back. Must be called once the request is over, whatever became of it; calling it again does nothing. */
  leave(): void
}

/**
 * Decides when a request may run: which level of priority it belongs to, whether there is a seat, and whose turn it is.
 * Asked once for every request that is neither a stream nor an upgrade, after the gate and before the body; for a watch until it has begun.
 */
export interface FlowController {
  /**
   * A place, at once and without a promise where there is one; a promise of one for a request that has to wait.
   * Throws, or rejects with, `ApiError` TooManyRequests with `retryAfterSeconds`.
   */
  enter(user: UserInfo, verb: string, path: FlowPath, details: FlowDetails): FlowPlace | Promise<FlowPlace>
}

export const FlowControlCap = capability<FlowController>('flow-control/v1')
