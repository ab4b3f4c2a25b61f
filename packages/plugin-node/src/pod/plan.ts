import type { RuntimeContainer } from '@continuo/workload'
import { attemptsOf, containersOf, hasEnded, isRunning, noProbes, type PodContainer, type PodObservation, willRestart } from './model.ts'

export type PodAction =
  | { readonly type: 'sandbox' }
  /** The sandbox is broken: kill what is left of it, then make a new one. */
  | { readonly type: 'removeSandbox' }
  | { readonly type: 'start'; readonly container: PodContainer; readonly attempt: number }
  | {
      readonly type: 'kill'
      readonly container: PodContainer
      readonly attempt: number
      readonly reason: string
      readonly message: string
      readonly gracePeriodSeconds?: number
    }
  /** The pod is over and something still runs: sidecars, or everything when it was decided from outside. */
  | { readonly type: 'stopAll' }
  /** An old attempt whose log nobody can ask for any more. */
  | { readonly type: 'prune'; readonly container: PodContainer; readonly attempt: number }

export interface PodPlan {
  readonly actions: readonly PodAction[]
  /** Wall milliseconds at which to look again even if nothing happens. */
  readonly lookAgainAt?: number
}

/**
 * What to do next for a pod that shall run. Pure: the worker carries it out and asks again.
 * Follows the order of Kubernetes' pod lifecycle: sandbox, init containers one by one (sidecars stay), then all others together.
 */
export function planPod(seen: PodObservation): PodPlan {
  const containers = containersOf(seen.pod)
  if (isFinished(seen)) return { actions: isRunning(seen.sandbox) ? [{ type: 'stopAll' }] : [] }
  if (seen.blocked !== undefined && seen.blocked.retryAt > seen.now) return { actions: [], lookAgainAt: seen.blocked.retryAt }
  if (seen.sandbox === undefined) return { actions: [{ type: 'sandbox' }] }
  if (seen.sandbox.state === 'notready') return { actions: [{ type: 'removeSandbox' }, { type: 'sandbox' }] }

  const plan = new Plan(seen)
  const inits = containers.filter((container) => container.kind === 'init')
  // Ephemeral containers do not wait: they are how people look into an init container that hangs.
  for (const container of containers) if (container.kind === 'ephemeral') plan.runOnce(container)
  if (plan.initContainers(inits)) for (const container of containers) if (container.kind === 'main') plan.keepRunning(container)
  for (const container of containers) plan.prune(container)
  return plan.result()
}

/** True when every main container has ended for good, or the pod's end was decided. Its sidecars may still run. */
export function isFinished(seen: PodObservation): boolean {
  const phase = seen.pod.status?.phase
  if (phase === 'Succeeded' || phase === 'Failed' || seen.verdict !== undefined || seen.ended === true) return true
  const policy = seen.pod.spec?.restartPolicy ?? 'Always'
  if (policy === 'Always') return false
  // What ran once and is known to nobody any more cannot run again where nothing may run twice.
  if (seen.sandbox === undefined) return policy === 'Never' && hasRun(seen)
  return (
    initFailed(seen) ||
    containersOf(seen.pod)
      .filter((container) => container.kind === 'main')
      .every((container) => {
        const latest = attemptsOf(seen.sandbox, container.spec.name)[0]
        return latest !== undefined && hasEnded(latest) && !willRestart(seen.pod, container, latest)
      })
  )
}

const hasRun = (seen: PodObservation): boolean =>
  seen.pod.status?.containerStatuses?.some((status) => (status.containerID ?? '') !== '') ?? false

/** A regular init container ended with an error and the policy forbids another attempt. */
function initFailed(seen: PodObservation): boolean {
  if (seen.pod.spec?.restartPolicy !== 'Never') return false
  return containersOf(seen.pod).some((container) => {
    const latest = attemptsOf(seen.sandbox, container.spec.name)[0]
    return container.kind === 'init' && !container.sidecar && latest !== undefined && hasEnded(latest) && latest.exitCode !== 0
  })
}

class Plan {
  readonly #seen: PodObservation
  readonly #actions: PodAction[] = []
  #lookAgainAt: number | undefined

  constructor(seen: PodObservation) {
    this.#seen = seen
  }

  /** True when all init containers are done and all sidecars have started. */
  initContainers(inits: readonly PodContainer[]): boolean {
    for (const container of inits) {
      const latest = this.#latest(container)
      if (container.sidecar) {
        this.keepRunning(container)
        if (latest?.state !== 'running' || !this.#probes(container).started) return false
      } else if (latest === undefined || !(hasEnded(latest) && latest.exitCode === 0)) {
        if (latest?.state !== 'running') this.#start(container, latest)
        return false
      }
    }
    return true
  }

  keepRunning(container: PodContainer): void {
    const latest = this.#latest(container)
    if (latest === undefined || latest.state === 'created') {
      this.#start(container, latest)
      return
    }
    if (hasEnded(latest)) {
      if (willRestart(this.#seen.pod, container, latest)) this.#start(container, latest)
      return
    }
    const failed = this.#probes(container).failed
    if (failed !== undefined) {
      this.#actions.push({
        type: 'kill',
        container,
        attempt: latest.attempt,
        reason: 'Unhealthy',
        message: `Container ${container.spec.name} failed ${failed.probe} probe, will be restarted`,
        gracePeriodSeconds: failed.gracePeriodSeconds,
      })
    } else if (latest.image !== container.spec.image) {
      this.#actions.push({
        type: 'kill',
        container,
        attempt: latest.attempt,
        reason: 'Killing',
        message: `Container ${container.spec.name} definition changed, will be restarted`,
      })
    }
  }

  runOnce(container: PodContainer): void {
    const latest = this.#latest(container)
    if (latest === undefined || latest.state === 'created') this.#start(container, latest)
  }

  /** Keeps the latest attempt and the one before it, for `logs --previous`. */
  prune(container: PodContainer): void {
    for (const old of attemptsOf(this.#seen.sandbox, container.spec.name).slice(2)) {
      if (hasEnded(old)) this.#actions.push({ type: 'prune', container, attempt: old.attempt })
    }
  }

  result(): PodPlan {
    return { actions: this.#actions, lookAgainAt: this.#lookAgainAt }
  }

  #latest(container: PodContainer): RuntimeContainer | undefined {
    return attemptsOf(this.#seen.sandbox, container.spec.name)[0]
  }

  #probes(container: PodContainer) {
    return this.#seen.probes.get(container.spec.name) ?? noProbes
  }

  #start(container: PodContainer, latest: RuntimeContainer | undefined): void {
    const { name } = container.spec
    const notBefore = Math.max(latest === undefined ? 0 : (this.#seen.backoff.get(name) ?? 0), this.#seen.problems.get(name)?.retryAt ?? 0)
    if (notBefore > this.#seen.now) {
      this.#lookAgainAt = Math.min(this.#lookAgainAt ?? Number.POSITIVE_INFINITY, notBefore)
      return
    }
    const attempt = latest?.state === 'created' ? latest.attempt : latest === undefined ? this.#firstAttempt(name) : latest.attempt + 1
    this.#actions.push({ type: 'start', container, attempt })
  }

  /** Goes on counting when the sandbox was lost with all that the runtime knew. */
  #firstAttempt(name: string): number {
    const status = this.#seen.pod.status
    const known = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find((entry) => entry.name === name)
    return known?.containerID === undefined ? 0 : known.restartCount + 1
  }
}
