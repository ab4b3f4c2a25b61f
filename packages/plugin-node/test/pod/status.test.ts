import { describe, expect, it } from 'vitest'
import { podStatus } from '../../src/pod/status.ts'
import { statusPatch } from '../../src/pod/status-patch.ts'
import { container, now, pod, sandbox, seen } from './observation.ts'

const condition = (status: ReturnType<typeof podStatus>, type: string) => status.conditions?.find((other) => other.type === type)

describe('podStatus', () => {
  it('is Pending with ContainerCreating before anything runs', () => {
    const status = podStatus(seen())
    expect(status.phase).toBe('Pending')
    expect(status.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'ContainerCreating' } })
    expect(condition(status, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [main]',
    })
  })

  it('is Running and Ready with its addresses when the container runs and its probes agree', () => {
    const status = podStatus(seen({ sandbox: sandbox(container('running')) }))
    expect(status).toMatchObject({ phase: 'Running', podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }], hostIP: '192.0.2.1' })
    expect(condition(status, 'Ready')?.status).toBe('True')
    expect(status.containerStatuses?.[0]).toMatchObject({ ready: true, started: true, restartCount: 0 })
  })

  it('is not ready while the readiness probe fails', () => {
    const status = podStatus(seen({ sandbox: sandbox(container('running')), probes: new Map([['main', { started: true, ready: false }]]) }))
    expect(status.containerStatuses?.[0]?.ready).toBe(false)
    expect(condition(status, 'ContainersReady')?.status).toBe('False')
  })

  it('shows CrashLoopBackOff with the last end while it waits', () => {
    const ended = container('exited', { exitCode: 3, attempt: 1, finishedAt: now - 1_000 })
    const status = podStatus(seen({ sandbox: sandbox(ended), backoff: new Map([['main', now + 19_000]]) }))
    expect(status.phase).toBe('Running')
    expect(status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      state: { waiting: { reason: 'CrashLoopBackOff', message: expect.stringContaining('back-off 20s restarting failed container=main') } },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    })
  })

  it('tells success from failure when a pod that never restarts has ended', () => {
    const phase = (exitCode: number) =>
      podStatus(seen({ pod: pod({ restartPolicy: 'Never' }), sandbox: sandbox(container('exited', { exitCode })) })).phase
    expect([phase(0), phase(2)]).toEqual(['Succeeded', 'Failed'])
  })

  it('tells an end by memory from other ends', () => {
    const status = podStatus(
      seen({ pod: pod({ restartPolicy: 'Never' }), sandbox: sandbox(container('exited', { exitCode: 137, oomKilled: true })) }),
    )
    expect(status.containerStatuses?.[0]?.state?.terminated?.reason).toBe('OOMKilled')
  })

  it('waits for readiness gates', () => {
    const gated = pod({ readinessGates: [{ conditionType: 'example.com/ok' }] })
    expect(condition(podStatus(seen({ pod: gated, sandbox: sandbox(container('running')) })), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
    })
  })

  it('keeps the time of a condition that did not change', () => {
    const first = podStatus(seen({ sandbox: sandbox(container('running')) }))
    const later = podStatus(seen({ pod: pod({}, { status: first }), sandbox: sandbox(container('running')), now: now + 60_000 }))
    expect(later.conditions).toEqual(first.conditions)
  })

  it('shows why a container could not be started', () => {
    const problems = new Map([['main', { reason: 'ErrImagePull', message: 'no such image', retryAt: now + 1 }]])
    expect(podStatus(seen({ sandbox: sandbox(), problems })).containerStatuses?.[0]?.state).toEqual({
      waiting: { reason: 'ErrImagePull', message: 'no such image' },
    })
  })
})

describe('statusPatch', () => {
  const status = podStatus(seen({ sandbox: sandbox(container('running')) }))

  it('is undefined when nothing changed, whatever the order of keys', () => {
    expect(statusPatch(status, JSON.parse(JSON.stringify(status)))).toBeUndefined()
  })

  it('holds changed conditions alone and clears fields that are gone', () => {
    const before = JSON.parse(JSON.stringify({ ...status, message: 'old' }))
    before.conditions[2].status = 'False'
    expect(statusPatch(status, before)).toEqual({ message: null, conditions: [status.conditions?.[2]] })
  })

  it('clears the reason of a condition that has become true', () => {
    const before = JSON.parse(JSON.stringify(status))
    before.conditions[2] = { ...before.conditions[2], status: 'False', reason: 'ContainersNotReady', message: 'not yet' }
    expect(statusPatch(status, before)).toEqual({ conditions: [{ ...status.conditions?.[2], reason: null, message: null }] })
  })

  it('replaces addresses as a whole', () => {
    const before = { ...status, podIP: '10.0.0.9', podIPs: [{ ip: '10.0.0.9' }] }
    expect(statusPatch(status, before)?.podIPs).toEqual([{ $patch: 'replace' }, { ip: '10.0.0.2' }])
  })
})
