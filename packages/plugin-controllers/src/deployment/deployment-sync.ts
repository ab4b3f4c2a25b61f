import {
  type Clock,
  controllerOf,
  type Decide,
  type EventRecorder,
  formatKey,
  hasReason,
  keyOf,
  type ObjectClient,
  TerminalError,
} from '@continuo/core'
import { Deployment, type DeploymentStatus, ReplicaSet } from '@continuo/workload'
import { isNamespaceGoing } from '../replica-set/namespace-going.ts'
import { sameStatus } from '../status/same-status.ts'
import { newReplicaSet } from './new-replica-set.ts'
import { hasDeadline, isComplete, reasons, rolloutStatus } from './progress.ts'
import { annotations, nextRevision, obsoleteSets, revisedAnnotations, revisionOf, sizeAnnotations } from './revision.ts'
import { type Resize, resizeNew, shrinkOld } from './rolling-update.ts'
import { scaleSets } from './scaling.ts'
import { type Conditions, condition, conditionOf, countedStatus, withCondition } from './status.ts'
import { sameTemplate } from './template.ts'
import { activeSets, type DeploymentView, type ReplicaSetView, wantedReplicas } from './views.ts'

export interface SyncParts {
  readonly client: ObjectClient
  readonly clock: Clock
  readonly decide: Decide
  readonly events: EventRecorder
}

/** One pass over one deployment: carries out what the pure rules decide and keeps what was written. */
export class DeploymentSync {
  readonly #parts: SyncParts
  /** As it is in the API, but for conditions that this pass adds before it writes them. */
  #deployment: DeploymentView
  readonly #stored: DeploymentView
  #current: ReplicaSetView | undefined
  #old: readonly ReplicaSetView[]
  /** resourceVersion of the latest set that was written, which the informer must have seen before the next pass. */
  newest: string | undefined

  constructor(parts: SyncParts, deployment: DeploymentView, current: ReplicaSetView | undefined, old: readonly ReplicaSetView[]) {
    this.#parts = parts
    this.#stored = deployment
    this.#deployment = deployment
    this.#current = current
    this.#old = old
  }

  /** A step of a rolling update: grow the new set, else shrink old ones, else clean up. */
  async roll(): Promise<DeploymentStatus> {
    if (this.#current === undefined) await this.#create()
    else {
      await this.#reviseCurrent(this.#current)
      const grown = resizeNew(this.#deployment, this.#current, this.#all())
      const steps = grown === undefined ? shrinkOld(this.#deployment, this.#current, this.#old) : [grown]
      const why = grown === undefined ? `pods of ${this.#current.metadata.name} take their place` : 'the rollout goes on'
      for (const step of steps) await this.#resize(step, why)
      if (steps.length === 0) await this.#cleanUpWhenComplete()
    }
    return this.#writeStatus(rolloutStatus(this.#deployment, this.#current, this.#old, this.#parts.clock.now()))
  }

  /** A step of a rollout that removes all old pods before it makes new ones. */
  async recreate(oldPodsRun: () => boolean): Promise<DeploymentStatus> {
    const leaving = activeSets(this.#old)
    for (const set of leaving) await this.#resize({ set, replicas: 0 }, 'the pod template changed, and the strategy is Recreate')
    if (leaving.length === 0 && !oldPodsRun()) {
      if (this.#current === undefined) await this.#create()
      else {
        await this.#reviseCurrent(this.#current)
        await this.#resize({ set: this.#current, replicas: wantedReplicas(this.#deployment) }, 'all old pods have ended')
        await this.#cleanUpWhenComplete()
      }
    }
    return this.#writeStatus(rolloutStatus(this.#deployment, this.#current, this.#old, this.#parts.clock.now()))
  }

  /** Follows a change of the size without going on with the rollout: while paused, and first of all after scaling. */
  async scale(): Promise<DeploymentStatus> {
    if (this.#current !== undefined) await this.#reviseCurrent(this.#current)
    const why = `spec.replicas is ${wantedReplicas(this.#deployment)}`
    for (const step of scaleSets(this.#deployment, this.#current, this.#old))
      await this.#resize(step, why, sizeAnnotations(this.#deployment))
    if (this.#deployment.spec?.paused === true) await this.#cleanUp()
    return this.onlyStatus()
  }

  onlyStatus(): Promise<DeploymentStatus> {
    return this.#writeStatus(countedStatus(this.#deployment, this.#current, this.#old, this.#parts.clock.now()))
  }

  addCondition(next: Parameters<typeof withCondition>[1]): void {
    const conditions = [...withCondition((this.#deployment.status?.conditions ?? []) as Conditions, next)]
    this.#deployment = { ...this.#deployment, status: { ...this.#deployment.status, conditions } }
  }

  #all(): readonly ReplicaSetView[] {
    return this.#current === undefined ? this.#old : [...this.#old, this.#current]
  }

  async #create(): Promise<void> {
    const wish = newReplicaSet(this.#deployment, this.#old)
    const { clock, client, events } = this.#parts
    try {
      this.#wrote(
        await client
          .with({ cause: this.#decide(wish, 'NewReplicaSet', 'made for a new pod template') })
          .for(ReplicaSet)
          .create(wish),
      )
      const replicas = wish.spec?.replicas ?? 0
      if (replicas > 0)
        events.event(this.#stored, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${wish.metadata.name} from 0 to ${replicas}`)
    } catch (error) {
      if (hasReason(error, 'AlreadyExists')) await this.#useExisting(wish)
      else if (isNamespaceGoing(error)) throw new TerminalError(`namespace ${wish.metadata.namespace} is being deleted`, { cause: error })
      else {
        const message = `Failed to create new replica set "${wish.metadata.name}": ${error instanceof Error ? error.message : String(error)}`
        if (hasDeadline(this.#deployment)) {
          this.addCondition(condition('Progressing', 'False', reasons.failed, message, clock.now()))
          await this.onlyStatus()
        }
        events.event(this.#stored, 'Warning', reasons.failed, message)
        throw error
      }
    }
    if (this.#current === undefined) return
    await this.#noteRevision(this.#current)
    if (hasDeadline(this.#deployment))
      this.addCondition(condition('Progressing', 'True', reasons.created, `Created new replica set "${wish.metadata.name}"`, clock.now()))
  }

  /** The name is taken: by the set that an earlier pass made, or by another template of the same hash. */
  async #useExisting(wish: ReplicaSet): Promise<void> {
    const existing = await this.#parts.client.for(ReplicaSet).get(keyOf(wish))
    if (controllerOf(existing)?.uid === this.#stored.metadata.uid && sameTemplate(existing.spec?.template, this.#stored.spec?.template)) {
      this.#wrote(existing)
      return
    }
    const collisionCount = (this.#deployment.status?.collisionCount ?? 0) + 1
    this.#deployment = { ...this.#deployment, status: { ...this.#deployment.status, collisionCount } }
  }

  async #reviseCurrent(set: ReplicaSetView): Promise<void> {
    const revised = revisedAnnotations(this.#deployment, set, nextRevision(this.#old))
    const minReadySeconds = this.#deployment.spec?.minReadySeconds ?? 0
    if (revised !== undefined || (set.spec?.minReadySeconds ?? 0) !== minReadySeconds) {
      await this.#patch(set, { ...(revised && { annotations: revised }) }, { minReadySeconds })
    }
    await this.#noteRevision(this.#current ?? set)
    if (
      hasDeadline(this.#deployment) &&
      conditionOf(this.#deployment.status?.conditions as Conditions | undefined, 'Progressing') === undefined
    ) {
      this.addCondition(
        condition('Progressing', 'True', reasons.found, `Found new replica set "${set.metadata.name}"`, this.#parts.clock.now()),
      )
    }
  }

  async #noteRevision(set: ReplicaSetView): Promise<void> {
    const revision = String(revisionOf(set))
    if (this.#stored.metadata.annotations?.[annotations.revision] === revision) return
    const { uid } = this.#stored.metadata
    await this.#parts.client.for(Deployment).patch(keyOf(this.#stored), {
      type: 'merge',
      body: { metadata: { ...(uid && { uid }), annotations: { [annotations.revision]: revision } } },
    })
  }

  async #resize({ set, replicas }: Resize, why: string, noted?: Record<string, string>): Promise<void> {
    const before = wantedReplicas(set)
    const sized = noted ?? sizeAnnotations(this.#deployment)
    const annotated = Object.keys(sized).every((name) => set.metadata.annotations?.[name] === sized[name])
    if (before === replicas && (annotated || noted === undefined)) return
    const direction = replicas > before ? 'up' : 'down'
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`
    const cause = before === replicas ? undefined : this.#decide(set, 'ScalingReplicaSet', `${message}: ${why}`)
    await this.#patch(set, { annotations: sized }, { replicas }, cause)
    if (before !== replicas) this.#parts.events.event(this.#stored, 'Normal', 'ScalingReplicaSet', message)
  }

  /** Refused when the set changed since it was read: the next pass decides anew. */
  async #patch(set: ReplicaSetView, metadata: object, spec: object, cause?: string): Promise<void> {
    const { uid, resourceVersion } = (set === this.#current ? this.#current : set).metadata
    const client = cause === undefined ? this.#parts.client : this.#parts.client.with({ cause })
    const patched = await client.for(ReplicaSet).patch(keyOf(set), {
      type: 'merge',
      body: { metadata: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }), ...metadata }, spec },
    })
    this.#wrote(patched)
  }

  #wrote(set: ReplicaSet): void {
    const { uid, resourceVersion } = set.metadata
    if (resourceVersion !== undefined && Number(resourceVersion) > Number(this.newest ?? 0)) this.newest = resourceVersion
    const isOld = this.#old.some((each) => each.metadata.uid === uid)
    if (isOld) this.#old = this.#old.map((each) => (each.metadata.uid === uid ? set : each))
    else this.#current = set
  }

  async #cleanUpWhenComplete(): Promise<void> {
    if (isComplete(this.#deployment, this.#deployment.status)) await this.#cleanUp()
  }

  async #cleanUp(): Promise<void> {
    for (const set of obsoleteSets(this.#deployment, this.#old)) {
      try {
        const { uid } = set.metadata
        await this.#parts.client.for(ReplicaSet).delete(keyOf(set), uid === undefined ? {} : { preconditions: { uid } })
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error
      }
    }
  }

  async #writeStatus(status: DeploymentStatus): Promise<DeploymentStatus> {
    if (sameStatus(this.#stored.status, status)) return status
    const { resourceVersion: _, ...metadata } = structuredClone(this.#stored.metadata) as Deployment['metadata']
    // The revision may have been noted since the deployment was read; only this controller writes the status.
    try {
      await this.#parts.client.for(Deployment).updateStatus({ ...(structuredClone(this.#stored) as Deployment), metadata, status })
    } catch (error) {
      // It was deleted meanwhile.
      if (!hasReason(error, 'NotFound')) throw error
    }
    return status
  }

  #decide(set: ReplicaSetView, code: string, message: string): string {
    const { uid } = set.metadata
    return this.#parts.decide({
      object: { kind: 'ReplicaSet', ...keyOf(set), ...(uid && { uid }) },
      ...(this.#stored.metadata.resourceVersion && { revision: this.#stored.metadata.resourceVersion }),
      code,
      message: `Deployment ${formatKey(keyOf(this.#stored))}: ${message}`,
    })
  }
}
