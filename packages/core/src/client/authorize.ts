import { hook } from '../hooks/hook.ts'
import type { GroupVersionResource } from '../objects/names.ts'
import type { Caller } from './caller.ts'

/** What somebody wants to do, before anything was read. */
export interface AuthorizationRequest {
  readonly caller: Caller
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`. */
  readonly verb: string
  readonly resource: GroupVersionResource
  readonly subresource?: string
  readonly namespace: string
  /** Empty for collections, and for a creation: its name stands in the body. */
  readonly name: string
}

/**
 * Called for each request of a caller that is neither trusted nor authorised already, and for the creation that an update or apply turns out to be. A tap refuses by throwing an ApiError (403 Forbidden);
 * a request that no tap refuses is allowed, so a host without an authoriser allows everything.
 */
export const ClientAuthorize = hook<AuthorizationRequest>('client/authorize')
