import { capability } from '../capability/capability.ts'

/** Cancels what it was returned for. Calling it again does nothing. */
export type Cancel = () => void

/**
 * Time, injected everywhere so that a whole cluster can run on virtual time.
 * Only the adapter of the real clock touches the platform's timers.
 */
export interface Clock {
  /** Wall time, milliseconds since the epoch. It may jump. */
  now(): number
  /** Monotonic milliseconds from an arbitrary start: for durations and deadlines. */
  monotonic(): number
  /** Calls back once, `ms` milliseconds from now. Timers never keep the process alive by themselves. */
  after(ms: number, callback: () => void): Cancel
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Lets other work of the event loop run, for loops that would otherwise hold it longer than 10 ms. */
  yield(): Promise<void>
}

export const ClockCap = capability<Clock>('clock/v1')

/** `2026-01-31T10:20:30Z`: the form of every `metadata` time. */
export const formatTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** `2026-01-31T10:20:30.123000Z`: the form of leases and events. */
export const formatMicroTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`

/** Milliseconds since the epoch of an RFC 3339 time, or NaN. */
export const parseTime = (text: string): number => Date.parse(text)
