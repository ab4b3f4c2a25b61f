import { createSeededRandom, createVirtualClock, type VirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import { ApiError, type ElectionOptions, type KubeObject, LeaseElection, silentLog, type Term } from '../../src/index.ts'
import { MemoryApi, Widget, widget } from '../fakes/memory-api.ts'

function candidate(api: MemoryApi, clock: VirtualClock, identity: string, options: ElectionOptions = {}) {
  const client = api.client({ fieldManager: identity })
  const election = new LeaseElection({
    hostName: identity,
    identity,
    client,
    clock,
    random: createSeededRandom(identity.length),
    log: silentLog,
    ...options,
  })
  const terms: Term[] = []
  election.onTerm((term) => terms.push(term))
  const write = (name: string) =>
    client
      .with({ fence: terms.at(-1)?.fence })
      .for(Widget)
      .create(widget(name))
  return { election, terms, write, identity }
}

/** A clock of a process that can be stopped as by SIGSTOP: its timers fire late, all at once. */
function pausable(clock: VirtualClock) {
  let paused = false
  const late: (() => void)[] = []
  return {
    clock: {
      ...clock,
      after: (ms: number, callback: () => void) => clock.after(ms, () => (paused ? void late.push(callback) : callback())),
      sleep: (ms: number, signal?: AbortSignal) =>
        new Promise<void>((resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason))
          clock.after(ms, () => (paused ? void late.push(resolve) : resolve()))
        }),
    } as VirtualClock,
    pause: () => {
      paused = true
    },
    resume: () => {
      paused = false
      for (const callback of late.splice(0)) callback()
    },
  }
}

const epochOf = (api: MemoryApi) => api.objects.get('leases/kube-system/continuo-controllers-epoch')?.metadata.resourceVersion
const leaseOf = (api: MemoryApi) =>
  api.objects.get('leases/kube-system/continuo-controllers') as KubeObject & { spec: Record<string, unknown> }

it('leads at once where nobody has led, and renews without touching the epoch', async () => {
  const api = new MemoryApi()
  const clock = createVirtualClock()
  const a = candidate(api, clock, 'a')
  a.election.start()
  await clock.settle()
  expect(a.election.leading).toBe(true)
  expect(a.terms[0]?.fence).toEqual({
    group: 'coordination.k8s.io',
    resource: 'leases',
    namespace: 'kube-system',
    name: 'continuo-controllers-epoch',
    resourceVersion: epochOf(api),
  })
  const epoch = epochOf(api)
  const renewed = leaseOf(api).spec.renewTime
  await clock.advance(60_000)
  expect(leaseOf(api).spec.renewTime).not.toBe(renewed)
  expect(epochOf(api)).toBe(epoch)
  expect(a.terms).toHaveLength(1)
  await a.election.stop()
})

it('waits while another one renews and takes over when it gives up the lease, at once', async () => {
  const api = new MemoryApi()
  const clock = createVirtualClock()
  const a = candidate(api, clock, 'a')
  const b = candidate(api, clock, 'b')
  a.election.start()
  await clock.settle()
  b.election.start()
  await clock.advance(120_000)
  expect([a.election.leading, b.election.leading, b.election.holder]).toEqual([true, false, 'a'])
  await a.election.stop()
  expect(a.terms[0]?.signal.aborted).toBe(true)
  await clock.advance(3_000)
  expect(b.election.leading).toBe(true)
  await b.election.stop()
})

it('takes over from a crashed leader once its lease has run out, not earlier', async () => {
  const api = new MemoryApi()
  const clock = createVirtualClock()
  const a = candidate(api, clock, 'a')
  a.election.start()
  await clock.settle()
  // From now on nothing of a arrives.
  api.before = (_op, _resource, who) => {
    if (who.fieldManager === 'a') throw new ApiError('ServiceUnavailable', 'away')
  }
  const b = candidate(api, clock, 'b')
  b.election.start()
  await clock.advance(10_500)
  expect([a.election.leading, b.election.leading]).toEqual([false, false])
  await clock.advance(4_000)
  expect(b.election.leading).toBe(false)
  await clock.advance(4_000)
  expect(b.election.leading).toBe(true)
  await Promise.all([a.election.stop(), b.election.stop()])
})

it('takes over from itself without waiting: a crashed predecessor with the same identity', async () => {
  const api = new MemoryApi()
  const clock = createVirtualClock()
  const before = candidate(api, clock, 'host-with-data')
  before.election.start()
  await clock.settle()
  const old = before.terms[0]?.fence
  const after = candidate(api, clock, 'host-with-data')
  after.election.start()
  await clock.settle()
  expect(after.election.leading).toBe(true)
  // The predecessor, should it still live, is fenced off.
  await expect(api.client({ fence: old }).for(Widget).create(widget('x'))).rejects.toMatchObject({ reason: 'Conflict' })
  await Promise.all([before.election.stop(), after.election.stop()])
})

it('a leader paused past its lease writes nothing more', async () => {
  const api = new MemoryApi()
  const clock = createVirtualClock()
  const frozen = pausable(clock)
  const a = candidate(api, frozen.clock, 'a')
  a.election.start()
  await clock.settle()
  await a.write('while-leading')
  const b = candidate(api, clock, 'b')
  b.election.start()
  await clock.advance(1_000)

  frozen.pause()
  await clock.advanceUntil(() => b.election.leading)
  await b.write('by-b')
  // It wakes in the middle of a reconcile and does not know yet: its signal has not aborted.
  expect(a.election.leading).toBe(true)
  await expect(a.write('too-late')).rejects.toMatchObject({ reason: 'Conflict' })
  frozen.resume()
  await clock.settle()
  expect(a.election.leading).toBe(false)
  expect(a.terms[0]?.signal.aborted).toBe(true)
  expect([...api.objects.keys()].filter((key) => key.startsWith('widgets/'))).toEqual([
    'widgets/default/while-leading',
    'widgets/default/by-b',
  ])
  await Promise.all([a.election.stop(), b.election.stop()])
})

it('never leads when it was overtaken between taking the lease and writing the epoch', async () => {
  const api = new MemoryApi()
  const clock = createVirtualClock()
  const a = candidate(api, clock, 'a')
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  // a takes the lease; the answer is stuck on the way, and the epoch not yet written.
  let writes = 0
  api.after = (_op, _resource, who) => {
    if (who.fieldManager !== 'a') return
    writes += 1
    if (writes === 1) return held
  }
  a.election.start()
  await clock.settle()
  expect(leaseOf(api).spec.holderIdentity).toBe('a')
  const b = candidate(api, clock, 'b')
  b.election.start()
  await clock.advanceUntil(() => b.election.leading)
  release()
  await clock.settle()
  expect([a.terms.length, a.election.leading, b.election.leading]).toEqual([0, false, true])
  await b.write('by-b')
  await Promise.all([a.election.stop(), b.election.stop()])
})

it('gives up when it cannot renew in time, before another one may take over', async () => {
  const api = new MemoryApi()
  const clock = createVirtualClock()
  const a = candidate(api, clock, 'a')
  a.election.start()
  await clock.settle()
  api.before = () => new Promise(() => {})
  await clock.advance(10_500)
  expect(a.election.leading).toBe(false)
})

it('refuses durations that cannot work', () => {
  const api = new MemoryApi()
  expect(() => candidate(api, createVirtualClock(), 'a', { leaseMs: 5_000 })).toThrowError(
    expect.objectContaining({ code: 'ELECTION_OPTIONS' }),
  )
})

it('leaves no timer when stopped', async () => {
  const api = new MemoryApi()
  const clock = createVirtualClock()
  const a = candidate(api, clock, 'a')
  a.election.start()
  await clock.advance(30_000)
  await a.election.stop()
  expect(clock.pending).toBe(0)
  expect(leaseOf(api).spec.holderIdentity).toBe('')
})
