import type { DeploymentCondition } from '@continuo/workload'
import { expect, test } from 'vitest'
import { nextDeadlineCheck, pauseCondition, rolloutStatus } from '../../src/deployment/progress.ts'
import { at, deploymentOf, ms, setOf } from '../objects.ts'

const progressing = (reason: string, seconds: number, status = 'True'): DeploymentCondition => ({
  type: 'Progressing',
  status,
  reason,
  lastUpdateTime: at(seconds),
  lastTransitionTime: at(seconds),
})
const deadline = { progressDeadlineSeconds: 600 }
const of = (conditions: readonly DeploymentCondition[] | undefined, type: string) => conditions?.find((each) => each.type === type)

function underway(updated: number, conditions: DeploymentCondition[], replicas = 3) {
  const deployment = deploymentOf(replicas, deadline, 'v2')
  deployment.status = { observedGeneration: 1, replicas: 3, updatedReplicas: updated, readyReplicas: 3, availableReplicas: 3, conditions }
  return deployment
}

test('counts over all sets, updated ones of the current set alone', () => {
  const status = rolloutStatus(deploymentOf(4, deadline, 'v2'), setOf('v2', 2, { available: 1 }), [setOf('v1', 3)], ms(0))
  expect(status).toMatchObject({
    observedGeneration: 1,
    replicas: 5,
    updatedReplicas: 2,
    readyReplicas: 4,
    availableReplicas: 4,
    unavailableReplicas: 1,
  })
  expect(of(status.conditions, 'Available')).toMatchObject({
    status: 'True',
    reason: 'MinimumReplicasAvailable',
    message: 'Deployment has minimum availability.',
  })
})

test('says when too few are available', () => {
  const status = rolloutStatus(deploymentOf(4, deadline), setOf('v1', 4, { available: 2 }), [], ms(0))
  expect(of(status.conditions, 'Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' })
})

test('progresses while counters move, keeping the transition and moving the update', () => {
  const status = rolloutStatus(underway(1, [progressing('NewReplicaSetCreated', 0)]), setOf('v2', 2), [setOf('v1', 2)], ms(50))
  expect(of(status.conditions, 'Progressing')).toEqual({
    type: 'Progressing',
    status: 'True',
    reason: 'ReplicaSetUpdated',
    message: 'ReplicaSet "v2" is progressing.',
    lastUpdateTime: at(50),
    lastTransitionTime: at(0),
  })
})

test('exceeds its deadline when nothing moved for that long', () => {
  const deployment = underway(2, [progressing('ReplicaSetUpdated', 0)])
  const status = (seconds: number) => rolloutStatus(deployment, setOf('v2', 2, { available: 0 }), [setOf('v1', 1)], ms(seconds))
  expect(of(status(600).conditions, 'Progressing')?.reason).toBe('ReplicaSetUpdated')
  expect(of(status(601).conditions, 'Progressing')).toMatchObject({
    status: 'False',
    reason: 'ProgressDeadlineExceeded',
    message: 'ReplicaSet "v2" has timed out progressing.',
  })
})

test('is complete when all replicas are new and available', () => {
  const status = rolloutStatus(underway(2, [progressing('ReplicaSetUpdated', 0)]), setOf('v2', 3), [setOf('v1', 0)], ms(9))
  expect(of(status.conditions, 'Progressing')).toMatchObject({
    status: 'True',
    reason: 'NewReplicaSetAvailable',
    message: 'ReplicaSet "v2" has successfully progressed.',
  })
})

test('a complete rollout that loses a pod is not late', () => {
  const status = rolloutStatus(underway(3, [progressing('NewReplicaSetAvailable', 0)]), setOf('v2', 3, { available: 2 }), [], ms(9999))
  expect(of(status.conditions, 'Progressing')?.reason).toBe('NewReplicaSetAvailable')
})

test('passes on why pods cannot be made, and forgets it when they can', () => {
  const failing = setOf('v2', 3, { available: 0, has: 0 })
  failing.status!.conditions = [
    { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'no', lastTransitionTime: at(1) },
  ]
  const status = rolloutStatus(deploymentOf(3, deadline, 'v2'), failing, [], ms(2))
  expect(of(status.conditions, 'ReplicaFailure')).toMatchObject({ status: 'True', reason: 'FailedCreate', message: 'no' })
  const healed = rolloutStatus({ ...deploymentOf(3, deadline, 'v2'), status }, setOf('v2', 3), [], ms(3))
  expect(of(healed.conditions, 'ReplicaFailure')).toBeUndefined()
})

test('without a deadline there is no progress condition', () => {
  expect(of(rolloutStatus(deploymentOf(3), setOf('v1', 3), [], ms(0)).conditions, 'Progressing')).toBeUndefined()
})

test('asks to be called again a second after the deadline, and not when there is nothing to wait for', () => {
  const deployment = underway(1, [])
  const status = (condition: DeploymentCondition) => ({ ...deployment.status, conditions: [condition] })
  expect(nextDeadlineCheck(deployment, status(progressing('ReplicaSetUpdated', 0)), ms(100))).toBe(501_000)
  expect(nextDeadlineCheck(deployment, status(progressing('ProgressDeadlineExceeded', 0, 'False')), ms(100))).toBeUndefined()
  expect(nextDeadlineCheck(deployment, status(progressing('NewReplicaSetAvailable', 0)), ms(100))).toBeUndefined()
})

test('notes pausing and resuming once', () => {
  const deployment = deploymentOf(3, { ...deadline, paused: true })
  const paused = pauseCondition(deployment, ms(5))
  expect(paused).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' })
  deployment.status = { conditions: [paused!] }
  expect(pauseCondition(deployment, ms(6))).toBeUndefined()
  deployment.spec!.paused = false
  expect(pauseCondition(deployment, ms(7))).toMatchObject({ reason: 'DeploymentResumed' })
})
