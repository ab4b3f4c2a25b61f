import { type DeepReadonly, formatKey, keyOf } from '@continuo/core'
import type { Pod } from '@continuo/workload'
import { type ClusterEvent, mayHelp } from './cluster-event.ts'
import { Heap } from './heap.ts'

/** A pod on its way to a node. */
export interface QueuedPod {
  readonly key: string
  pod: DeepReadonly<Pod>
  /** Attempts so far. */
  attempts: number
  /** When it was queued first, and when it was put back last: wall milliseconds. */
  readonly since: number
  at: number
  /** Rules that rejected it last. */
  rejectedBy: ReadonlySet<string>
}

type State = 'active' | 'backoff' | 'unschedulable' | 'in-flight'

interface Entry {
  readonly queued: QueuedPod
  state: State
  /** Events that came while an attempt was under way. */
  missed: ClusterEvent[]
  /** Deleted while in flight. */
  gone: boolean
}

export interface QueueOptions {
  /** Default 1,000 ms. */
  readonly initialBackoffMs?: number
  /** Default 10,000 ms. */
  readonly maxBackoffMs?: number
  /** A pod is tried again after this long even if nothing happened. Default 300,000 ms. */
  readonly unschedulableMs?: number
}

const maxMissed = 50

/**
 * Pods that wait for a node, in three parts: active (by priority, then age), backing off, and unschedulable until an event may help them.
 * Holds the pods that the informer holds, each once. Time is passed in; no timers of its own.
 */
export class SchedulingQueue {
  readonly #entries = new Map<string, Entry>()
  /** Entries by state, so that an event costs those that it may concern. */
  readonly #waiting = { backoff: new Set<Entry>(), unschedulable: new Set<Entry>(), 'in-flight': new Set<Entry>() }
  readonly #active = new Heap<Entry>(
    ({ queued: a }, { queued: b }) =>
      (a.pod.spec?.priority ?? 0) > (b.pod.spec?.priority ?? 0) ||
      ((a.pod.spec?.priority ?? 0) === (b.pod.spec?.priority ?? 0) && a.at < b.at),
  )
  readonly #options: Required<QueueOptions>

  constructor(options: QueueOptions = {}) {
    this.#options = { initialBackoffMs: 1000, maxBackoffMs: 10_000, unschedulableMs: 300_000, ...options }
  }

  /** A pod that needs a node. Known pods are updated; a change of the pod itself lets an unschedulable one try again. */
  set(pod: DeepReadonly<Pod>, now: number): void {
    const key = formatKey(keyOf(pod))
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      const queued: QueuedPod = { key, pod, attempts: 0, since: now, at: now, rejectedBy: new Set() }
      this.#activate({ queued, state: 'active', missed: [], gone: false })
      return
    }
    const old = entry.queued.pod
    entry.gone = false
    entry.queued.pod = pod
    if (entry.state === 'unschedulable' && mayFitAfter(old, pod)) this.#release(entry, now)
    else if (entry.state === 'in-flight' && mayFitAfter(old, pod)) note(entry, { type: 'anything' })
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.gone = true
    if (entry.state !== 'in-flight') this.#drop(entry)
  }

  /** The next pod to try; it stays in flight until `done` or `retry`. */
  pop(): QueuedPod | undefined {
    for (let entry = this.#active.pop(); entry !== undefined; entry = this.#active.pop()) {
      if (entry.gone || entry.state !== 'active' || this.#entries.get(entry.queued.key) !== entry) continue
      this.#move(entry, 'in-flight')
      entry.missed = []
      entry.queued.attempts++
      return entry.queued
    }
    return undefined
  }

  /** The pod with this uid has its node. One of the same name that took its place meanwhile is queued. */
  done(key: string, uid: string | undefined): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    if (entry.gone || entry.queued.pod.metadata.uid === uid) this.#drop(entry)
    else this.#activate(entry)
  }

  /**
   * The attempt failed. With `rejectedBy` the pod waits for an event that may help, unless one came meanwhile;
   * without (an error) it is tried again after its back-off.
   */
  retry(key: string, now: number, rejectedBy?: ReadonlySet<string>): void {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.state !== 'in-flight') return
    if (entry.gone) {
      this.#drop(entry)
      return
    }
    const { queued, missed } = entry
    queued.at = now
    queued.rejectedBy = rejectedBy ?? new Set()
    const helped = rejectedBy === undefined || missed.some((event) => mayHelp(queued.pod, rejectedBy, event))
    this.#move(entry, helped ? 'backoff' : 'unschedulable')
    entry.missed = []
  }

  /** Something happened: pods that it may help are tried again, after their back-off. */
  happened(event: ClusterEvent, now: number): void {
    for (const entry of this.#waiting['in-flight']) note(entry, event)
    for (const entry of this.#waiting.unschedulable)
      if (mayHelp(entry.queued.pod, entry.queued.rejectedBy, event)) this.#release(entry, now)
  }

  /** Moves pods whose waiting is over to the active part; the milliseconds until the next one is due, or undefined. */
  wake(now: number): number | undefined {
    let next: number | undefined
    for (const entry of [...this.#waiting.backoff, ...this.#waiting.unschedulable]) {
      const due =
        entry.state === 'backoff' ? entry.queued.at + this.#backoff(entry.queued) : entry.queued.at + this.#options.unschedulableMs
      if (due <= now) this.#activate(entry)
      else next = Math.min(next ?? Number.POSITIVE_INFINITY, due - now)
    }
    return next
  }

  counts(): Readonly<Record<State, number>> {
    const { backoff, unschedulable, 'in-flight': inFlight } = this.#waiting
    const active = this.#entries.size - backoff.size - unschedulable.size - inFlight.size
    return { active, backoff: backoff.size, unschedulable: unschedulable.size, 'in-flight': inFlight.size }
  }

  #release(entry: Entry, now: number): void {
    if (entry.queued.at + this.#backoff(entry.queued) <= now) this.#activate(entry)
    else this.#move(entry, 'backoff')
  }

  #drop(entry: Entry): void {
    this.#move(entry, 'active')
    this.#entries.delete(entry.queued.key)
  }

  #move(entry: Entry, state: State): void {
    if (entry.state !== 'active') this.#waiting[entry.state].delete(entry)
    if (state !== 'active') this.#waiting[state].add(entry)
    entry.state = state
  }

  #activate(entry: Entry): void {
    this.#move(entry, 'active')
    this.#entries.set(entry.queued.key, entry)
    this.#active.push(entry)
  }

  #backoff({ attempts }: QueuedPod): number {
    return Math.min(this.#options.maxBackoffMs, this.#options.initialBackoffMs * 2 ** Math.max(0, attempts - 1))
  }
}

function note(entry: Entry, event: ClusterEvent): void {
  if (entry.missed.length < maxMissed) entry.missed.push(event)
  else entry.missed[maxMissed - 1] = { type: 'anything' }
}

/** True when more changed than the status: the scheduler's own notes must not wake the pod. */
const mayFitAfter = (old: DeepReadonly<Pod>, next: DeepReadonly<Pod>): boolean =>
  old.metadata.uid !== next.metadata.uid ||
  JSON.stringify([old.spec, old.metadata.labels]) !== JSON.stringify([next.spec, next.metadata.labels])
