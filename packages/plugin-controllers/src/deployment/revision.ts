import { type DeploymentView, fenceposts, type ReplicaSetView, wantedReplicas } from './views.ts'

/** Annotations by which Kubernetes' tools follow rollouts. */
export const annotations = {
  revision: 'deployment.kubernetes.io/revision',
  history: 'deployment.kubernetes.io/revision-history',
  desired: 'deployment.kubernetes.io/desired-replicas',
  maximum: 'deployment.kubernetes.io/max-replicas',
} as const

const notCopied: ReadonlySet<string> = new Set([
  ...Object.values(annotations),
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
])

const historyLimit = 2000

type Annotated = { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }

export function numberAnnotation(object: Annotated, name: string): number | undefined {
  const text = object.metadata.annotations?.[name]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

export const revisionOf = (object: Annotated): number => numberAnnotation(object, annotations.revision) ?? 0

/** The revision that the set of the present template has or gets: one above all others. */
export const nextRevision = (old: readonly ReplicaSetView[]): number => Math.max(0, ...old.map(revisionOf)) + 1

/**
 * Annotations of the set of the present template: those of the deployment, and its revision. A set that comes back by a rollback
 * gets a new revision and notes the former one in its history. Returns undefined when nothing changes.
 */
export function revisedAnnotations(
  deployment: DeploymentView,
  set: Annotated | undefined,
  revision: number,
): Readonly<Record<string, string>> | undefined {
  const before = set?.metadata.annotations ?? {}
  const after: Record<string, string> = { ...before }
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!notCopied.has(name)) after[name] = value
  const former = revisionOf({ metadata: { annotations: before } })
  if (former < revision) {
    after[annotations.revision] = String(revision)
    if (former > 0) after[annotations.history] = historyWith(before[annotations.history], former)
  }
  if (set === undefined) Object.assign(after, sizeAnnotations(deployment))
  return Object.keys(after).every((name) => before[name] === after[name]) && set !== undefined ? undefined : after
}

function historyWith(history: string | undefined, revision: number): string {
  const revisions = [...(history ?? '').split(',').filter((each) => each !== ''), String(revision)]
  while (revisions.join(',').length > historyLimit) revisions.shift()
  return revisions.join(',')
}

/** What a set notes of the deployment's wish when it is sized. */
export const sizeAnnotations = (deployment: DeploymentView): Record<string, string> => ({
  [annotations.desired]: String(wantedReplicas(deployment)),
  [annotations.maximum]: String(wantedReplicas(deployment) + fenceposts(deployment).maxSurge),
})

/** Old sets beyond the history limit that hold and want no pods, lowest revision first. */
export function obsoleteSets(deployment: DeploymentView, old: readonly ReplicaSetView[]): readonly ReplicaSetView[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10
  const candidates = old.filter((set) => set.metadata.deletionTimestamp === undefined)
  return [...candidates]
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, Math.max(0, candidates.length - limit))
    .filter(
      (set) =>
        wantedReplicas(set) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
}
