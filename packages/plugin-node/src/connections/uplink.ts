import type { Duplex } from 'node:stream'
import type { Clock, Log, Random } from '@continuo/core'
import type { NodeUplink, RemoteApi } from '@continuo/workload'
import { type Heartbeat, keepAlive } from './keep-alive.ts'
import { openConnection } from './open-connection.ts'

export interface UplinkOptions {
  readonly access: RemoteApi
  readonly heartbeat: Heartbeat
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
}

interface Offer {
  readonly node: string
  readonly accept: (stream: Duplex) => void
}

const firstDelayMs = 500
const longestDelayMs = 30_000
/** A connection that held as long was a good one: the next attempt begins with the shortest delay. */
const goodMs = 30_000

/** Keeps one connection to each replica of the control plane, and hands what comes over them to the agent. */
export class Uplink implements NodeUplink {
  readonly #options: UplinkOptions
  readonly #lines = new Map<string, AbortController>()
  #origins: readonly string[] = []
  #offer: Offer | undefined

  constructor(options: UplinkOptions) {
    this.#options = options
  }

  /** The replicas that live now. */
  follow(origins: readonly string[]): void {
    this.#origins = origins
    this.#reconcile()
  }

  async offer(node: string, accept: (stream: Duplex) => void): Promise<AsyncDisposable> {
    this.#offer = { node, accept }
    this.#reconcile()
    return {
      [Symbol.asyncDispose]: async () => {
        this.#offer = undefined
        this.#reconcile()
      },
    }
  }

  close(): void {
    this.#offer = undefined
    this.#reconcile()
  }

  #reconcile(): void {
    const wanted = new Set(this.#offer === undefined ? [] : this.#origins)
    for (const [origin, line] of this.#lines) {
      if (wanted.has(origin)) continue
      this.#lines.delete(origin)
      line.abort()
    }
    for (const origin of wanted) {
      if (this.#lines.has(origin) || this.#offer === undefined) continue
      const line = new AbortController()
      this.#lines.set(origin, line)
      void this.#keep(origin, this.#offer, line.signal)
    }
  }

  /** Connects again and again until the signal aborts. */
  async #keep(origin: string, { node, accept }: Offer, signal: AbortSignal): Promise<void> {
    const { access, clock, random, log, heartbeat } = this.#options
    let delay = firstDelayMs
    while (!signal.aborted) {
      const began = clock.monotonic()
      try {
        const session = await openConnection({ origin, node, tls: await access.tls(), clock, signal, accept })
        log.info({ server: origin }, 'connected to a replica of the control plane')
        keepAlive(session, heartbeat)
        await new Promise<void>((resolve) => {
          const stop = (): void => session.destroy()
          signal.addEventListener('abort', stop, { once: true })
          session.once('close', () => {
            signal.removeEventListener('abort', stop)
            resolve()
          })
          if (signal.aborted) stop()
        })
        if (!signal.aborted) log.info({ server: origin }, 'lost a replica of the control plane, connecting again')
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error, server: origin }, 'no connection to a replica of the control plane, trying again')
      }
      delay = clock.monotonic() - began >= goodMs ? firstDelayMs : Math.min(delay * 2, longestDelayMs)
      await clock.sleep(delay * (0.5 + random.next() / 2), signal).catch(() => {})
    }
  }
}
