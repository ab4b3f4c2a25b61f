import type { CacheEvent } from '../cache/watch-cache.ts'
import type { WatchViewEvent } from './object-service.ts'
import type { Selection } from './selection.ts'
import { StoredView, type ViewContext } from './stored-view.ts'
import type { ViewForm } from './view-form.ts'

/** A change of one object in one version, before it is known what it means to a watch. */
export interface WatchChange {
  readonly now: StoredView | undefined
  /** The state before, with the version of the change. */
  readonly before: StoredView | undefined
  /** What it means to a watch that chooses everything. */
  readonly plain: WatchViewEvent
}

export function toChange(context: ViewContext, form: ViewForm, { revision, entry, previous }: CacheEvent): WatchChange {
  const now = entry === undefined ? undefined : new StoredView(context, form, entry)
  const before = previous === undefined ? undefined : new StoredView(context, form, previous, revision)
  const view = (now ?? before) as StoredView
  return { now, before, plain: { type: now === undefined ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED', view } }
}

/** What a change means to a watch: entering its selection is ADDED; leaving it is DELETED, with the last state that was in it. */
export function meaningOf({ now, before, plain }: WatchChange, selection: Selection): WatchViewEvent | undefined {
  if (selection.everything) return plain
  const matched = before !== undefined && selection.matches(before)
  if (now !== undefined && selection.matches(now)) {
    const type = matched ? 'MODIFIED' : 'ADDED'
    return plain.type === type ? plain : { type, view: now }
  }
  return matched ? { type: 'DELETED', view: before } : undefined
}

/** Changes that watchers share, each kept until this many came after it: watchers read nearly in step. */
const kept = 32

/** The latest changes of one form, so that what one watcher made of an event (views, labels, decoded objects) serves all others. */
export class RecentChanges {
  readonly #changes = new Map<CacheEvent, WatchChange>()

  of(context: ViewContext, form: ViewForm, event: CacheEvent): WatchChange {
    let change = this.#changes.get(event)
    if (change !== undefined) return change
    change = toChange(context, form, event)
    if (this.#changes.size >= kept) {
      for (const oldest of this.#changes.keys()) {
        this.#changes.delete(oldest)
        break
      }
    }
    this.#changes.set(event, change)
    return change
  }
}
