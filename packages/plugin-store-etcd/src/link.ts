import { type Clock, isStoreError, type Random, StoreError } from '@continuo/core'
import type { ChannelCredentials } from '@grpc/grpc-js'
import { closedError } from './etcd-errors.ts'
import { kv } from './etcd-protocol.ts'
import { Member } from './member.ts'

const firstDelay = 50
const longestDelay = 2_000

export interface LinkOptions {
  readonly endpoints: readonly string[]
  readonly credentials: ChannelCredentials
  readonly clock: Clock
  readonly random: Random
  /** How long a member may take to answer its first question. */
  readonly connectTimeoutMs: number
  /** How long callers wait for a connection after the last one was lost; later ones are refused at once while it is sought. */
  readonly patienceMs: number
  /** A key that anybody may ask for. */
  readonly probeKey: Uint8Array
  readonly onConnected?: (endpoint: string) => void
}

/**
 * The way to the cluster: one connection to one member, which all calls share. To find it, every endpoint is asked for a linearizable read
 * at once and the first that answers is taken, so a member that is dead, frozen or cut off from the others is passed over.
 * After a round without an answer it waits 50 ms, and twice as long after each further one, up to 2 s.
 */
export class Link {
  readonly #options: LinkOptions
  readonly #stop = new AbortController()
  #member: Member | undefined
  #seeking: Promise<void> | undefined
  #failedRounds = 0
  #downSince: number | undefined
  #failure: StoreError | undefined

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** The connected member. Throws `STORE_UNAVAILABLE` when none is found until the monotonic time `until`; an abort throws the signal's reason. */
  async member(until: number, signal?: AbortSignal): Promise<Member> {
    const { clock, patienceMs } = this.#options
    for (;;) {
      if (this.#stop.signal.aborted) throw closedError()
      signal?.throwIfAborted()
      if (this.#member?.usable) return this.#member
      this.#drop()
      this.#seeking ??= this.#seek().finally(() => {
        this.#seeking = undefined
      })
      const patience = Math.min(until, (this.#downSince ?? 0) + patienceMs)
      if (this.#failure !== undefined && clock.monotonic() >= patience) throw this.#failure
      await this.#waitFor(this.#seeking, until, signal)
    }
  }

  close(): void {
    this.#stop.abort(closedError())
    this.#member?.lose()
  }

  #drop(): void {
    if (this.#member === undefined) return
    this.#member.lose()
    this.#member = undefined
    this.#downSince = this.#options.clock.monotonic()
  }

  /** One round over all endpoints. Never rejects. */
  async #seek(): Promise<void> {
    const { clock, random, onConnected } = this.#options
    this.#downSince ??= clock.monotonic()
    try {
      if (this.#failedRounds > 0) {
        const delay = Math.min(longestDelay, firstDelay * 2 ** (this.#failedRounds - 1))
        await clock.sleep(delay * (0.5 + random.next() / 2), this.#stop.signal)
      }
      this.#member = await this.#firstToAnswer()
      this.#failedRounds = 0
      this.#failure = undefined
      this.#downSince = undefined
      onConnected?.(this.#member.endpoint)
    } catch (error) {
      this.#failedRounds++
      this.#failure = noMember(this.#options.endpoints, error)
    }
  }

  async #firstToAnswer(): Promise<Member> {
    const others = new AbortController()
    const signal = AbortSignal.any([others.signal, this.#stop.signal])
    const attempts = this.#options.endpoints.map((endpoint) => this.#ask(endpoint, signal))
    try {
      const winner = await Promise.any(attempts)
      for (const attempt of attempts) attempt.then((member) => member !== winner && member.lose(), ignore)
      return winner
    } finally {
      others.abort()
    }
  }

  async #ask(endpoint: string, signal: AbortSignal): Promise<Member> {
    const { credentials, clock, connectTimeoutMs: timeoutMs, probeKey: key } = this.#options
    const member = new Member(endpoint, credentials, clock)
    try {
      await member.call(kv.Range, { key, countOnly: true }, { effect: 'read', timeoutMs, signal })
      return member
    } catch (error) {
      member.lose()
      throw error
    }
  }

  async #waitFor(seeking: Promise<void>, until: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#options
    const over = new AbortController()
    const waiting = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal])
    try {
      await Promise.race([seeking, clock.sleep(Math.max(0, until - clock.monotonic()), waiting)])
    } finally {
      over.abort()
    }
  }
}

const ignore = (): void => {}

function noMember(endpoints: readonly string[], cause: unknown): StoreError {
  const reasons = cause instanceof AggregateError ? [...new Set(cause.errors.map(reasonOf))] : [reasonOf(cause)]
  return new StoreError('STORE_UNAVAILABLE', `no member of etcd answers at ${endpoints.join(', ')}: ${reasons.join('; ')}`, {
    hint: 'Check that etcd runs, that most of its members reach each other, and the endpoints and certificates of the store.',
    cause,
  })
}

const reasonOf = (error: unknown): string => (isStoreError(error) ? error.message : String(error))
