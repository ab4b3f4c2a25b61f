import { type Condition, formatTime } from '@continuo/core'

/** What one pass over a namespace's content found. */
export interface ContentReport {
  /** Resources that could not be emptied, with the reason. */
  readonly failures: readonly { readonly resource: string; readonly message: string }[]
  /** `pods.` → how many are left. */
  readonly remaining: ReadonlyMap<string, number>
  /** How many of what is left wait for each finalizer. */
  readonly finalizers: ReadonlyMap<string, number>
  /** Set when the served resources could not be listed. */
  readonly discoveryFailure?: string
}

export const isEmpty = ({ failures, remaining, discoveryFailure }: ContentReport): boolean =>
  failures.length === 0 && remaining.size === 0 && discoveryFailure === undefined

const counted = (counts: ReadonlyMap<string, number>, say: (name: string, count: number) => string): string =>
  [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => say(name, count))
    .join(', ')

/** Several errors in one text, as Go's aggregates have it. */
const aggregated = (messages: readonly string[]): string => (messages.length === 1 ? `${messages[0]}` : `[${messages.join(', ')}]`)

/** The conditions by which a namespace says why it is still there, in the words of Kubernetes. */
export function deletionConditions(current: readonly Condition[], report: ContentReport, now: number): Condition[] {
  const { failures, remaining, finalizers, discoveryFailure } = report
  const wanted: Omit<Condition, 'lastTransitionTime'>[] = [
    discoveryFailure === undefined
      ? {
          type: 'NamespaceDeletionDiscoveryFailure',
          status: 'False',
          reason: 'ResourcesDiscovered',
          message: 'All resources successfully discovered',
        }
      : {
          type: 'NamespaceDeletionDiscoveryFailure',
          status: 'True',
          reason: 'DiscoveryFailed',
          message: `Discovery failed for some groups, 1 failing: ${discoveryFailure}`,
        },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    failures.length === 0
      ? {
          type: 'NamespaceDeletionContentFailure',
          status: 'False',
          reason: 'ContentDeleted',
          message: 'All content successfully deleted, may be waiting on finalization',
        }
      : {
          type: 'NamespaceDeletionContentFailure',
          status: 'True',
          reason: 'ContentDeletionFailed',
          message: `Failed to delete all resource types, ${failures.length} remaining: ${aggregated(failures.map(({ message }) => message))}`,
        },
    remaining.size === 0
      ? { type: 'NamespaceContentRemaining', status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' }
      : {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${counted(remaining, (resource, count) => `${resource} has ${count} resource instances`)}`,
        },
    finalizers.size === 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${counted(finalizers, (finalizer, count) => `${finalizer} in ${count} resource instances`)}`,
        },
  ]
  const others = current.filter(({ type }) => !wanted.some((each) => each.type === type))
  return [...others, ...wanted.map((each) => merged(current, each, now))]
}

function merged(current: readonly Condition[], wanted: Omit<Condition, 'lastTransitionTime'>, now: number): Condition {
  const known = current.find(({ type }) => type === wanted.type)
  return {
    ...wanted,
    lastTransitionTime:
      known?.status === wanted.status && known.lastTransitionTime !== undefined ? known.lastTransitionTime : formatTime(now),
  }
}
