import type { ProbeResult } from '@continuo/workload'

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * One attempt of a probe that keeps the contract whatever happens in it: an error means that the probe could not run, and when the
 * signal aborts the result is `late` at once.
 */
export function attempt(signal: AbortSignal, late: string, run: () => Promise<ProbeResult>): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const expired = (): void => resolve({ outcome: 'failure', message: late })
    if (signal.aborted) {
      expired()
      return
    }
    signal.addEventListener('abort', expired, { once: true })
    const done = (result: ProbeResult): void => {
      signal.removeEventListener('abort', expired)
      resolve(result)
    }
    Promise.resolve()
      .then(run)
      .then(done, (error: unknown) => done({ outcome: 'unknown', message: messageOf(error) }))
  })
}
