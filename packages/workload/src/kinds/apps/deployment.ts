import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import { percentOf } from '@continuo/lib-quantity'
import type { Deployment as DeploymentObject, DeploymentSpec, DeploymentStrategy } from '../../generated/types/apps-v1.ts'
import { checkTemplate } from '../../pod-spec/check-pod-spec.ts'
import { defaultTemplate } from '../../pod-spec/default-pod-spec.ts'
import { checkOwnSelector } from '../../rules/selectors.ts'
import { checkCountOrPercent, checkImmutable, checkNotNegative, checkOneOf } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table, text, wide } from '../../table/columns.ts'
import { containerImages, containerNames, selectorCell } from '../../table/selectors.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type Deployment = DeploymentObject
/** Handle of deployments in apps/v1. */
export const Deployment = kindOf<Deployment>('apps/v1', 'deployments')

export const deploymentResource = workloadResource(Deployment, {
  shortNames: ['deploy'],
  categories: ['all'],
  table: table<Deployment>(
    nameColumn(),
    text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    integer('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    integer('Available', ({ status }) => status?.availableReplicas ?? 0),
    ageColumn(),
    wide('Containers', ({ spec }) => containerNames(spec?.template.spec?.containers)),
    wide('Images', ({ spec }) => containerImages(spec?.template.spec?.containers)),
    wide('Selector', ({ spec }) => selectorCell(spec?.selector)),
  ),
  strategy: strategyOf<Deployment>({
    default({ spec }) {
      if (spec === undefined) return
      spec.replicas ??= 1
      spec.strategy ??= {}
      defaultRollout(spec.strategy)
      spec.revisionHistoryLimit ??= 10
      spec.progressDeadlineSeconds ??= 600
      defaultTemplate(spec.template)
    },
    validate: ({ spec }, errors) => checkSpec(spec ?? ({} as DeploymentSpec), errors),
    validateUpdate(next, old, errors, subresource) {
      if (subresource !== 'status') return checkImmutable(next.spec?.selector, old.spec?.selector, 'spec.selector', errors)
      checkStatus(next, old, errors)
    },
  }),
})

/** A quarter of the pods may be missing, and a quarter too many, while a rollout runs. */
function defaultRollout(strategy: DeploymentStrategy): void {
  strategy.type ||= 'RollingUpdate'
  if (strategy.type !== 'RollingUpdate') return
  strategy.rollingUpdate ??= {}
  strategy.rollingUpdate.maxUnavailable ??= '25%'
  strategy.rollingUpdate.maxSurge ??= '25%'
}

function checkSpec(spec: DeepReadonly<DeploymentSpec>, errors: FieldError[]): void {
  checkNotNegative(spec.replicas, 'spec.replicas', errors)
  checkOwnSelector(spec.selector, spec.template?.metadata?.labels, 'deployment', errors)
  checkTemplate(spec.template, 'spec.template', ['Always'], errors)
  checkRollout(spec.strategy ?? {}, errors)
  checkNotNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors)
  checkNotNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', errors)
  const deadline = spec.progressDeadlineSeconds
  checkNotNegative(deadline, 'spec.progressDeadlineSeconds', errors)
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0))
    errors.push(fieldError.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'))
}

function checkRollout(strategy: DeepReadonly<DeploymentStrategy>, errors: FieldError[]): void {
  const path = 'spec.strategy'
  checkOneOf(strategy.type, ['Recreate', 'RollingUpdate'], `${path}.type`, errors)
  const rolling = strategy.rollingUpdate
  if (strategy.type === 'Recreate' && rolling !== undefined)
    errors.push(fieldError.forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'"))
  if (strategy.type !== 'RollingUpdate') return
  const { maxUnavailable = 0, maxSurge = 0 } = rolling ?? {}
  checkCountOrPercent(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`, errors)
  checkCountOrPercent(maxSurge, `${path}.rollingUpdate.maxSurge`, errors)
  const share = (value: number | string): number | undefined => (typeof value === 'number' ? value : percentOf(value))
  if (share(maxUnavailable) === 0 && share(maxSurge) === 0)
    errors.push(fieldError.invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
  if ((percentOf(maxUnavailable) ?? 0) > 100)
    errors.push(fieldError.invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'must not be greater than 100%'))
}

function checkStatus({ status }: DeepReadonly<Deployment>, old: DeepReadonly<Deployment>, errors: FieldError[]): void {
  for (const name of [
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
    'collisionCount',
  ] as const)
    checkNotNegative(status?.[name], `status.${name}`, errors)
  const total = status?.replicas ?? 0
  for (const name of ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const value = status?.[name] ?? 0
    if (value > total) errors.push(fieldError.invalid(`status.${name}`, value, 'cannot be greater than status.replicas'))
  }
  const before = old.status?.collisionCount
  if (before !== undefined && (status?.collisionCount ?? -1) < before)
    errors.push(fieldError.invalid('status.collisionCount', status?.collisionCount, 'cannot be decremented'))
}
