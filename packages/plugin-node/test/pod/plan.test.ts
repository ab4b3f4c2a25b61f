import { describe, expect, it } from 'vitest'
import { isFinished, planPod } from '../../src/pod/plan.ts'
import { container, now, pod, sandbox, seen } from './observation.ts'

const summary = (observation: Parameters<typeof planPod>[0]): string[] =>
  planPod(observation).actions.map((action) =>
    'container' in action ? `${action.type} ${action.container.spec.name}/${action.attempt}` : action.type,
  )

const withInits = pod({
  initContainers: [
    { name: 'first', image: 'i' },
    { name: 'side', image: 'i', restartPolicy: 'Always' },
    { name: 'second', image: 'i' },
  ],
})

describe('planPod', () => {
  it('makes the sandbox before anything else', () => {
    expect(summary(seen())).toEqual(['sandbox'])
  })

  it('replaces a sandbox that is broken', () => {
    expect(summary(seen({ sandbox: { ...sandbox(), state: 'notready' } }))).toEqual(['removeSandbox', 'sandbox'])
  })

  it('starts all main containers together', () => {
    const both = pod({
      containers: [
        { name: 'a', image: 'i' },
        { name: 'b', image: 'i' },
      ],
    })
    expect(summary(seen({ pod: both, sandbox: sandbox() }))).toEqual(['start a/0', 'start b/0'])
  })

  it('runs init containers one by one and keeps sidecars', () => {
    expect(summary(seen({ pod: withInits, sandbox: sandbox() }))).toEqual(['start first/0'])
    const done = container('exited', { name: 'first', kind: 'init', exitCode: 0 })
    expect(summary(seen({ pod: withInits, sandbox: sandbox(done) }))).toEqual(['start side/0'])
    const side = container('running', { name: 'side', kind: 'init', image: 'i' })
    expect(summary(seen({ pod: withInits, sandbox: sandbox(done, side) }))).toEqual(['start second/0'])
    const second = container('exited', { name: 'second', kind: 'init', exitCode: 0 })
    expect(summary(seen({ pod: withInits, sandbox: sandbox(done, side, second) }))).toEqual(['start main/0'])
  })

  it('starts what was made and not started when the agent was killed', () => {
    const made = container('created', { name: 'first', kind: 'init' })
    expect(summary(seen({ pod: withInits, sandbox: sandbox(made) }))).toEqual(['start first/0'])
    expect(summary(seen({ sandbox: sandbox(container('created')) }))).toEqual(['start main/0'])
  })

  it('stops what still runs of a pod that is over, and starts nothing', () => {
    const over = pod({ initContainers: [{ name: 'side', image: 'i', restartPolicy: 'Always' }], restartPolicy: 'Never' })
    const side = container('running', { name: 'side', kind: 'init', image: 'i' })
    expect(summary(seen({ pod: over, sandbox: sandbox(side, container('exited', { exitCode: 0 })) }))).toEqual(['stopAll'])
    const verdict = { phase: 'Failed' as const, reason: 'DeadlineExceeded', message: '' }
    expect(summary(seen({ sandbox: sandbox(container('running')), verdict }))).toEqual(['stopAll'])
    expect(summary(seen({ sandbox: sandbox(container('exited', { exitCode: 1 })), verdict }))).toEqual([])
  })

  it('waits for the startup probe of a sidecar', () => {
    const done = container('exited', { name: 'first', kind: 'init', exitCode: 0 })
    const side = container('running', { name: 'side', kind: 'init', image: 'i' })
    const probes = new Map([['side', { started: false, ready: false }]])
    expect(summary(seen({ pod: withInits, sandbox: sandbox(done, side), probes }))).toEqual([])
  })

  it('restarts an ended container as its policy says', () => {
    const failed = sandbox(container('exited', { exitCode: 1 }))
    const succeeded = sandbox(container('exited', { exitCode: 0 }))
    const plan = (restartPolicy: 'Always' | 'OnFailure' | 'Never', box: typeof failed) =>
      summary(seen({ pod: pod({ restartPolicy }), sandbox: box }))
    expect(plan('Always', succeeded)).toEqual(['start main/1'])
    expect(plan('OnFailure', failed)).toEqual(['start main/1'])
    expect(plan('OnFailure', succeeded)).toEqual([])
    expect(plan('Never', failed)).toEqual([])
  })

  it('waits for the back-off of a crashing container and says until when', () => {
    const observation = seen({ sandbox: sandbox(container('exited', { exitCode: 1 })), backoff: new Map([['main', now + 10_000]]) })
    expect(planPod(observation)).toEqual({ actions: [], lookAgainAt: now + 10_000 })
    expect(summary({ ...observation, now: now + 10_000 })).toEqual(['start main/1'])
  })

  it('kills a container whose liveness probe failed, with the grace period of the probe', () => {
    const probes = new Map([
      ['main', { started: true, ready: true, failed: { probe: 'liveness' as const, message: 'no', gracePeriodSeconds: 3 } }],
    ])
    expect(planPod(seen({ sandbox: sandbox(container('running')), probes })).actions).toMatchObject([
      { type: 'kill', attempt: 0, gracePeriodSeconds: 3 },
    ])
  })

  it('replaces a container whose image was changed', () => {
    expect(
      summary(seen({ pod: pod({ containers: [{ name: 'main', image: 'nginx:2' }] }), sandbox: sandbox(container('running')) })),
    ).toEqual(['kill main/0'])
  })

  it('goes on counting attempts when the runtime lost everything', () => {
    const status = { containerStatuses: [{ name: 'main', image: 'nginx', imageID: '', ready: true, restartCount: 4, containerID: 'x' }] }
    expect(summary(seen({ pod: pod({}, { status }), sandbox: sandbox() }))).toEqual(['start main/5'])
  })

  it('keeps the latest two attempts', () => {
    const box = sandbox(
      container('exited', { exitCode: 1 }),
      container('exited', { exitCode: 1, attempt: 1 }),
      container('running', { attempt: 2 }),
    )
    expect(summary(seen({ sandbox: box }))).toEqual(['prune main/0'])
  })
})

describe('isFinished', () => {
  it('is true when a pod that never restarts has ended, or one of its init containers has failed', () => {
    const never = pod({ restartPolicy: 'Never', initContainers: [{ name: 'init', image: 'i' }] })
    const failedInit = container('exited', { name: 'init', kind: 'init', exitCode: 2 })
    expect(isFinished(seen({ pod: never, sandbox: sandbox(failedInit) }))).toBe(true)
    expect(isFinished(seen({ pod: pod({ restartPolicy: 'Never' }), sandbox: sandbox(container('exited', { exitCode: 3 })) }))).toBe(true)
    expect(isFinished(seen({ pod: pod({ restartPolicy: 'Never' }), sandbox: sandbox(container('running')) }))).toBe(false)
    expect(isFinished(seen({ pod: pod(), sandbox: sandbox(container('exited', { exitCode: 0 })) }))).toBe(false)
  })
})
