import type { WatchCache } from '../cache/watch-cache.ts'
import type { Providers } from '../capability/capability.ts'
import type { Clock } from '../clock/clock.ts'
import type { Hooks } from '../hooks/hook.ts'
import type { Log } from '../log/log.ts'
import type { Random } from '../random/random.ts'
import type { Registry } from '../resources/registry.ts'
import type { Store } from '../store/store.ts'
import type { SubresourceAction, VirtualObjects } from './object-service.ts'
import type { ViewContext } from './stored-view.ts'
import type { TurnTaking } from './turn-taking.ts'
import type { ViewForms } from './view-form.ts'

/** What every operation of the local object service works with. */
export interface ServiceParts {
  readonly registry: Registry
  readonly store: Store
  readonly cache: WatchCache
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly hooks: Pick<Hooks, 'call' | 'isIdle'>
  readonly actions: Pick<Providers<SubresourceAction>, 'get'>
  readonly virtual: Pick<Providers<VirtualObjects>, 'get'>
  readonly views: ViewContext
  readonly forms: ViewForms
  readonly turns: TurnTaking
  /** What ends each open watch: called when the service is disposed. */
  readonly watches: Set<() => void>
  readonly limits: ServiceLimits
}

export interface ServiceLimits {
  /** Bytes of one object as JSON. */
  readonly maxObjectBytes: number
  /** How often a write starts anew because something that it depends on changed meanwhile. */
  readonly maxAttempts: number
  /** How long a read waits for a version that does not exist yet, in milliseconds. */
  readonly freshnessWaitMs: number
  /** Time between bookmarks, in milliseconds. */
  readonly bookmarkMs: number
}

export const defaultServiceLimits: ServiceLimits = {
  maxObjectBytes: 1_572_864,
  maxAttempts: 50,
  freshnessWaitMs: 3_000,
  bookmarkMs: 60_000,
}
