import {
  type Clock,
  type CommitResult,
  checkTransaction,
  defaultStoreLimits,
  isStoreError,
  type Random,
  type Store,
  type StoreBatch,
  type StoreEntry,
  StoreError,
  type StoreList,
  type StoreListOptions,
  type StoreTransaction,
  systemClock,
  systemRandom,
} from '@continuo/core'
import { credentials as grpcCredentials, type MethodDefinition, type ServiceError } from '@grpc/grpc-js'
import { BatchAssembler } from './batch-assembler.ts'
import { closedError, type Effect } from './etcd-errors.ts'
import { kv, type RangeRequest, type RangeResponse, status, type WatchResponse } from './etcd-protocol.ts'
import { KeySpace } from './key-space.ts'
import { Link } from './link.ts'
import type { Member } from './member.ts'
import { commitResultOf, txnOf } from './translate.ts'

/** Entries of one call of etcd: a list reads page by page at one revision, so that no message becomes huge. */
const pageSize = 500

/** Commits that may be on their way, and their bytes. Beyond it they are refused. */
const maxCommits = 10_000
const maxCommitBytes = 128 << 20

/** How long a call that surely did nothing waits before it is made again. */
const againMs = 50

/** One call of the store, for metrics. */
export interface Observed {
  readonly operation: 'range' | 'txn' | 'compact' | 'watch'
  /** `ok`, or the code of the error. */
  readonly outcome: string
  readonly seconds: number
}

export interface EtcdStoreOptions {
  /** URLs such as `http://127.0.0.1:2379`, all with the same scheme. */
  readonly endpoints: readonly string[]
  /** What every key in etcd begins with; see the README for what it may be. */
  readonly prefix: string
  /** PEM texts, for https. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  /** How long one call may take, in milliseconds. Default 5,000. */
  readonly requestTimeoutMs?: number
  /** How long a member may take to answer when it is connected to, in milliseconds. Default 2,000. */
  readonly connectTimeoutMs?: number
  readonly clock?: Clock
  readonly random?: Random
  readonly onCall?: (call: Observed) => void
  readonly onConnected?: (endpoint: string) => void
}

/**
 * A {@link Store} in etcd 3.4 or later, under a prefix that it shares with other control planes of the same cluster and with nobody else.
 * Reads are linearizable. A call that surely did nothing is made again within its time; a write whose fate is open never is.
 */
export class EtcdStore implements Store {
  /** etcd counts its framing, too, within its 1.5 MiB: what is left for keys and values is 1.5 MB. */
  readonly limits: Store['limits'] = { maxOps: defaultStoreLimits.maxOps, maxBytes: 1_500_000 }
  readonly features = { durable: true, soleWriter: false } as const
  readonly #keys: KeySpace
  readonly #link: Link
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #onCall: (call: Observed) => void
  readonly #stop = new AbortController()
  #commits = 0
  #commitBytes = 0

  constructor({ endpoints, prefix, tls, requestTimeoutMs = 5_000, connectTimeoutMs = 2_000, ...options }: EtcdStoreOptions) {
    const { clock = systemClock, random = systemRandom, onCall = ignore, onConnected } = options
    const secure = endpoints.some((endpoint) => endpoint.startsWith('https:'))
    this.#keys = new KeySpace(prefix)
    this.#clock = clock
    this.#timeoutMs = requestTimeoutMs
    this.#onCall = onCall
    this.#link = new Link({
      endpoints,
      credentials: secure ? grpcCredentials.createSsl(pem(tls?.ca), pem(tls?.key), pem(tls?.cert)) : grpcCredentials.createInsecure(),
      clock,
      random,
      connectTimeoutMs,
      patienceMs: requestTimeoutMs,
      probeKey: this.#keys.nothing,
      ...(onConnected === undefined ? {} : { onConnected }),
    })
  }

  /** Resolves with etcd's version when a member answers. Throws `STORE_UNAVAILABLE` with the reason of each endpoint. */
  async connect(): Promise<string> {
    const { version } = await this.#call('range', status, {}, 'read')
    return version
  }

  async get(
    key: string,
    { revision, signal }: { revision?: number; signal?: AbortSignal } = {},
  ): Promise<{ entry?: StoreEntry; revision: number }> {
    checkRevision(revision)
    const answer = await this.#range({ key: this.#keys.toEtcd(key), ...(revision === undefined ? {} : { revision }) }, signal)
    const found = answer.kvs[0]
    return { ...(found === undefined ? {} : { entry: this.#keys.entry(found) }), revision: revision ?? answer.header.revision }
  }

  async list(
    prefix: string,
    { startKey, limit = Number.MAX_SAFE_INTEGER, revision: asked, signal }: StoreListOptions = {},
  ): Promise<StoreList> {
    checkRevision(asked)
    const { key, rangeEnd } = this.#keys.range(prefix, startKey)
    const page = (size: number): Partial<RangeRequest> => (size > 0 ? { limit: Math.min(size, pageSize) } : { countOnly: true })
    let answer = await this.#range({ key, rangeEnd, ...page(limit), ...(asked === undefined ? {} : { revision: asked }) }, signal)
    const { count } = answer
    const revision = asked ?? answer.header.revision
    const entries = answer.kvs.map((found) => this.#keys.entry(found))
    while (entries.length < Math.min(count, limit)) {
      const last = answer.kvs.at(-1)
      if (last === undefined) break
      answer = await this.#range({ key: next(last.key), rangeEnd, ...page(limit - entries.length), revision }, signal)
      for (const found of answer.kvs) entries.push(this.#keys.entry(found))
    }
    return { entries, count, revision }
  }

  async commit(transaction: StoreTransaction): Promise<CommitResult> {
    this.#checkOpen()
    const bytes = checkTransaction(transaction, this.limits)
    if (this.#commits >= maxCommits || this.#commitBytes + bytes > maxCommitBytes) {
      throw new StoreError('STORE_UNAVAILABLE', `${this.#commits} commits wait for etcd`, { hint: 'Write more slowly.' })
    }
    this.#commits++
    this.#commitBytes += bytes
    try {
      // Encoded before anything is waited for: the caller may reuse its bytes.
      const request = kv.Txn.requestSerialize(txnOf(transaction, this.#keys))
      return commitResultOf(transaction, await this.#call('txn', kv.Txn, request, 'write'), this.#keys)
    } finally {
      this.#commits--
      this.#commitBytes -= bytes
    }
  }

  async *watch(prefix: string, { after, signal }: { after: number; signal: AbortSignal }): AsyncGenerator<StoreBatch, void, undefined> {
    if (signal.aborted) return
    this.#checkOpen()
    checkRevision(after)
    const ended = AbortSignal.any([signal, this.#stop.signal])
    const stopped = new AbortController()
    try {
      const member = await this.#link.member(this.#deadline(), ended)
      yield* this.#follow(member, prefix, after, AbortSignal.any([ended, stopped.signal]))
    } catch (error) {
      if (signal.aborted) return
      this.#checkOpen()
      throw error
    } finally {
      stopped.abort()
    }
  }

  async compact(revision: number): Promise<void> {
    try {
      await this.#call('compact', kv.Compact, { revision }, 'read')
    } catch (error) {
      if (!isStoreError(error, 'STORE_COMPACTED')) throw error
    }
  }

  async head(): Promise<number> {
    return (await this.#range({ key: this.#keys.nothing, countOnly: true })).header.revision
  }

  /** etcd tells it only to a watch that begins below it. */
  async compactedRevision(): Promise<number> {
    const beginning = 1
    try {
      await this.#range({ key: this.#keys.nothing, countOnly: true, revision: beginning })
      return beginning
    } catch (error) {
      if (!isStoreError(error, 'STORE_COMPACTED')) throw error
    }
    const member = await this.#link.member(this.#deadline())
    const stream = member.watch({ createRequest: { key: this.#keys.nothing, startRevision: beginning } })
    const cancelTimeout = this.#clock.after(this.#timeoutMs, () => stream.cancel())
    try {
      for await (const response of stream as AsyncIterable<WatchResponse>) if (response.compactRevision > 0) return response.compactRevision
    } catch (error) {
      throw member.watchError(error as ServiceError)
    } finally {
      cancelTimeout()
      stream.cancel()
    }
    throw new StoreError('STORE_UNAVAILABLE', `etcd ${member.endpoint} did not tell its compacted revision`)
  }

  /** Commits that were sent are still answered, or their outcome is unknown. */
  async close(): Promise<void> {
    this.#stop.abort(closedError())
    this.#link.close()
  }

  /** A watch on one member, until the signal aborts, the member is lost or history is. */
  async *#follow(member: Member, prefix: string, after: number, signal: AbortSignal): AsyncGenerator<StoreBatch, void, undefined> {
    // From the revision that was seen, not the next one: etcd before 3.4.36 and 3.5.18 loses a deletion in exactly the compacted revision.
    const request = { ...this.#keys.range(prefix), startRevision: after, progressNotify: true, prevKv: true, fragment: true }
    const began = this.#clock.monotonic()
    const stream = member.watch({ createRequest: request })
    const cancel = (): void => stream.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    const cancelTimeout = this.#clock.after(this.#timeoutMs, cancel)
    const assembler = new BatchAssembler(this.#keys, after)
    try {
      for await (const response of stream as AsyncIterable<WatchResponse>) {
        if (response.canceled) throw canceled(response, after, member)
        if (response.created) {
          cancelTimeout()
          this.#observe('watch', 'ok', began)
          if (response.header.revision < after) await this.#checkReached(after)
          continue
        }
        for (const batch of assembler.take(response)) {
          yield batch
          if (signal.aborted) return
        }
      }
      throw new StoreError('STORE_UNAVAILABLE', `etcd ${member.endpoint} ended the watch`)
    } catch (error) {
      const failure = isStoreError(error) ? error : member.watchError(error as ServiceError)
      if (!signal.aborted) this.#observe('watch', failure.code, began)
      throw failure
    } finally {
      cancelTimeout()
      signal.removeEventListener('abort', cancel)
      stream.cancel()
    }
  }

  /** A member may be behind the others; only the head of all says that a revision is none yet. */
  async #checkReached(revision: number): Promise<void> {
    const head = await this.head()
    if (head < revision) throw new StoreError('STORE_FUTURE_REVISION', `revision ${revision} is not yet reached, the newest is ${head}`)
  }

  #range(request: RangeRequest, signal?: AbortSignal): Promise<RangeResponse> {
    return this.#call('range', kv.Range, request, 'read', signal)
  }

  /** Calls a member, and another one when that surely did nothing, until the time is over. */
  async #call<Request, Response>(
    operation: Observed['operation'],
    method: MethodDefinition<Request, Response>,
    request: Request | Buffer,
    effect: Effect,
    signal?: AbortSignal,
  ): Promise<Response> {
    this.#checkOpen()
    const began = this.#clock.monotonic()
    const until = began + this.#timeoutMs
    try {
      for (;;) {
        const member = await this.#link.member(until, signal)
        const timeoutMs = until - this.#clock.monotonic()
        try {
          const response = await member.call(method, request, { effect, timeoutMs, ...(signal === undefined ? {} : { signal }) })
          this.#observe(operation, 'ok', began)
          return response
        } catch (error) {
          if (!isStoreError(error, 'STORE_UNAVAILABLE') || until - this.#clock.monotonic() <= againMs) throw error
        }
        await this.#clock.sleep(againMs, signal)
      }
    } catch (error) {
      if (effect === 'read') this.#checkOpen()
      if (isStoreError(error)) this.#observe(operation, error.code, began)
      throw error
    }
  }

  #deadline(): number {
    return this.#clock.monotonic() + this.#timeoutMs
  }

  #observe(operation: Observed['operation'], outcome: string, began: number): void {
    this.#onCall({ operation, outcome, seconds: (this.#clock.monotonic() - began) / 1_000 })
  }

  #checkOpen(): void {
    if (this.#stop.signal.aborted) throw closedError()
  }
}

const ignore = (): void => {}

const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text))

/** What lies below 1, as versions from before a restore do, means the latest to etcd. */
function checkRevision(revision: number | undefined): void {
  if (revision !== undefined && revision < 1)
    throw new StoreError('STORE_COMPACTED', `revision ${revision} lies before the beginning of the store`)
}

/** The smallest key behind another. */
const next = (key: Uint8Array): Uint8Array => Buffer.concat([key, Buffer.of(0)])

function canceled({ compactRevision, cancelReason }: WatchResponse, after: number, { endpoint }: Member): StoreError {
  return compactRevision > 0
    ? new StoreError('STORE_COMPACTED', `revision ${after} is compacted, the oldest is ${compactRevision}`)
    : new StoreError('STORE_UNAVAILABLE', `etcd ${endpoint} ended the watch: ${cancelReason}`)
}
