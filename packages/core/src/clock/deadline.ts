import { ContinuoError } from '../errors/continuo-error.ts'
import type { Clock } from './clock.ts'

/**
 * What `work` gives, or a `DEADLINE_EXCEEDED` when it takes longer than `ms`. The work itself goes on: it is told by its own signal, if it has one.
 * @param what Subject of the message: `stop hook of plugin api`.
 */
export async function withDeadline<T>(clock: Clock, ms: number, what: string, work: () => T | Promise<T>): Promise<T> {
  let cancel = (): void => {}
  const expired = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(ms, () => reject(new ContinuoError('DEADLINE_EXCEEDED', `${what} took longer than ${ms} ms`)))
  })
  try {
    return await Promise.race([Promise.resolve().then(work), expired])
  } finally {
    cancel()
  }
}
