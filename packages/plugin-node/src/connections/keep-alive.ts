import type { Http2Session } from 'node:http2'
import type { Cancel, Clock } from '@continuo/core'

export interface Heartbeat {
  readonly clock: Clock
  readonly pingMs: number
  readonly timeoutMs: number
}

/** Pings the other end until the session is over, and ends the session when an answer does not come in time. */
export function keepAlive(session: Http2Session, { clock, pingMs, timeoutMs }: Heartbeat): void {
  let cancel: Cancel = () => {}
  const over = (): boolean => session.closed || session.destroyed
  const next = (): void => {
    cancel = clock.after(pingMs, () => {
      if (over()) return
      const giveUp = clock.after(timeoutMs, () => session.destroy())
      cancel = giveUp
      session.ping((error) => {
        giveUp()
        if (error === null && !over()) next()
      })
    })
  }
  session.once('close', () => cancel())
  next()
}
