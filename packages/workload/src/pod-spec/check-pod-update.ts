import { type DeepReadonly, type FieldError, fieldError, jsonEqual } from '@continuo/core'
import type { Container, Pod, PodSpec, Toleration } from '../generated/types/core-v1.ts'

const mutableFields =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** What an update of a pod may change (`pkg/apis/core/validation`, ValidatePodUpdate). */
export function checkPodUpdate(next: DeepReadonly<Pod>, old: DeepReadonly<Pod>, errors: FieldError[]): void {
  if (next.spec === undefined || old.spec === undefined) return
  if (next.spec.containers?.length !== old.spec.containers?.length)
    return void errors.push(fieldError.forbidden('spec.containers', 'pod updates may not add or remove containers'))
  if ((next.spec.initContainers ?? []).length !== (old.spec.initContainers ?? []).length)
    return void errors.push(fieldError.forbidden('spec.initContainers', 'pod updates may not add or remove containers'))
  checkDeadline(next.spec, old.spec, errors)
  checkTolerations(next.spec.tolerations ?? [], old.spec.tolerations ?? [], errors)
  checkGates(next.spec, old.spec, errors)
  if (!jsonEqual(frozenPart(next.spec, next, old), frozenPart(old.spec, old, old))) errors.push(fieldError.forbidden('spec', mutableFields))
}

/** The status of a pod: a node's report may not restart what ended for good. */
export function checkPodStatusUpdate(next: DeepReadonly<Pod>, old: DeepReadonly<Pod>, errors: FieldError[]): void {
  if (next.spec?.nodeName !== old.spec?.nodeName) errors.push(fieldError.forbidden('status.nodeName', 'may not be changed directly'))
  const policy = old.spec?.restartPolicy
  if (policy === 'Always' || policy === undefined) return
  for (const status of next.status?.containerStatuses ?? []) {
    const before = old.status?.containerStatuses?.find((candidate) => candidate.name === status.name)?.state?.terminated
    if (before === undefined || status.state?.terminated !== undefined || (policy === 'OnFailure' && before.exitCode !== 0)) continue
    errors.push(fieldError.forbidden(`status.containerStatuses[${status.name}].state`, 'may not be transitioned to non-terminated state'))
  }
}

/** The spec without what may change: what is left must be the same. */
function frozenPart(spec: DeepReadonly<PodSpec>, pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): unknown {
  const {
    activeDeadlineSeconds: _a,
    tolerations: _t,
    schedulingGates: _g,
    containers,
    initContainers,
    terminationGracePeriodSeconds,
    ...rest
  } = spec
  const gated = (old.spec?.schedulingGates?.length ?? 0) > 0
  const { nodeSelector, affinity, ...others } = rest
  return {
    // A gated pod may still be steered: its node selector and affinity can be narrowed.
    ...(gated && pod.spec?.nodeName === undefined ? others : { ...others, nodeSelector, affinity }),
    terminationGracePeriodSeconds:
      (old.spec?.terminationGracePeriodSeconds ?? 0) < 0 && terminationGracePeriodSeconds === 1
        ? old.spec?.terminationGracePeriodSeconds
        : terminationGracePeriodSeconds,
    containers: containers?.map(withoutImage),
    initContainers: (initContainers ?? []).map(withoutImage),
  }
}

const withoutImage = ({ image: _, ...rest }: DeepReadonly<Container>): unknown => rest

function checkDeadline(next: DeepReadonly<PodSpec>, old: DeepReadonly<PodSpec>, errors: FieldError[]): void {
  const path = 'spec.activeDeadlineSeconds'
  if (old.activeDeadlineSeconds === undefined || next.activeDeadlineSeconds === old.activeDeadlineSeconds) return
  if (next.activeDeadlineSeconds === undefined)
    errors.push(fieldError.invalid(path, undefined, 'must not update from a positive integer to nil value'))
  else if (next.activeDeadlineSeconds > old.activeDeadlineSeconds)
    errors.push(fieldError.invalid(path, next.activeDeadlineSeconds, 'must be less than or equal to previous value'))
}

function checkTolerations(next: readonly DeepReadonly<Toleration>[], old: readonly DeepReadonly<Toleration>[], errors: FieldError[]): void {
  const kept = old.every((toleration) => next.some((candidate) => jsonEqual(sansSeconds(candidate), sansSeconds(toleration))))
  if (!kept) errors.push(fieldError.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'))
}

const sansSeconds = ({ tolerationSeconds: _, ...rest }: DeepReadonly<Toleration>): unknown => rest

function checkGates(next: DeepReadonly<PodSpec>, old: DeepReadonly<PodSpec>, errors: FieldError[]): void {
  const before = new Set((old.schedulingGates ?? []).map((gate) => gate.name))
  const added = (next.schedulingGates ?? []).filter((gate) => !before.has(gate.name)).map((gate) => gate.name)
  if (added.length > 0)
    errors.push(
      fieldError.forbidden('spec.schedulingGates', `only deletion is allowed, but found new scheduling gates '${added.join(', ')}'`),
    )
}
